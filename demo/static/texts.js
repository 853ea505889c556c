/**
 * Every word on the page, in English and in simplified Chinese.
 *
 *   translate("en")("page.found", 3)  // "3 found"
 */
import * as chat from "./texts_chat.js";
import * as player from "./texts_player.js";
import * as stage from "./texts_stage.js";

const page = {
  en: {
    "page.unreachable": "The server cannot be reached. What is on the page stays; try again in a moment.",
    "page.uploading": "Sending {0} %",
    "page.reading": "Reading the file…",
    "page.drop.image": "Drop a picture here",
    "page.drop.video": "Drop a clip here",
    "page.or": "or",
    "page.choose.image": "Choose a picture",
    "page.choose.video": "Choose a clip",
    "page.paste": "You can also paste one.",
    "page.lead.image": "Say what you are looking for, or point at it. You get its exact mask.",
    "page.lead.video": "Say what you are looking for, or point at it. You get its mask in every frame.",
    "page.examples": "Or begin with one of these",
    "page.another.image": "Another picture",
    "page.another.video": "Another clip",
    "page.settings": "Settings",
    "page.size": "{0} × {1}",
    "page.frames": "{0} frames",
    "page.seconds": "{0} s",
    "page.answers": "{0} answers. It was trained on {1}.",
    "page.kept": "What you open is deleted after {0} minutes without use, and a minute after you close the page.",
    "page.dismiss": "Dismiss",
    "page.selectFirst": "Choose an object first.",
    "page.tooLarge": "{0} is too large ({1} MB); up to {2} MB are accepted.",
  },
  zh: {
    "page.unreachable": "无法连接服务器。页面上的内容不会丢失，请稍后再试。",
    "page.uploading": "正在上传 {0}%",
    "page.reading": "正在读取文件…",
    "page.drop.image": "把图片拖到这里",
    "page.drop.video": "把视频拖到这里",
    "page.or": "或者",
    "page.choose.image": "选择图片",
    "page.choose.video": "选择视频",
    "page.paste": "也可以直接粘贴。",
    "page.lead.image": "说出或点出您要找的东西，即可得到精确的掩码。",
    "page.lead.video": "说出或点出您要找的东西，即可得到每一帧的掩码。",
    "page.examples": "或者从这些示例开始",
    "page.another.image": "换一张图片",
    "page.another.video": "换一段视频",
    "page.settings": "设置",
    "page.size": "{0} × {1}",
    "page.frames": "{0} 帧",
    "page.seconds": "{0} 秒",
    "page.answers": "由 {0} 回答。训练数据：{1}。",
    "page.kept": "您打开的内容在闲置 {0} 分钟后，或关闭页面一分钟后删除。",
    "page.dismiss": "关闭",
    "page.selectFirst": "请先选择一个对象。",
    "page.tooLarge": "{0} 太大（{1} MB），上限为 {2} MB。",
  },
};

export const TEXTS = {
  en: { ...page.en, ...stage.en, ...player.en, ...chat.en },
  zh: { ...page.zh, ...stage.zh, ...player.zh, ...chat.zh },
};

/**
 * @param {"en"|"zh"} language
 * @returns {(key: string, ...args: unknown[]) => string}
 */
export function translate(language) {
  return (key, ...args) => {
    const text = TEXTS[language]?.[key] ?? TEXTS.en[key] ?? key;
    return text.replace(/\{(\d)\}/g, (_, place) => String(args[Number(place)] ?? ""));
  };
}

/** The language of this visitor: as chosen on an earlier visit, else as the browser says. */
export function preferredLanguage() {
  const chosen = localStorage.getItem("x2sam.language");
  const wanted = chosen ?? navigator.language;
  return wanted.toLowerCase().startsWith("zh") ? "zh" : "en";
}
