"""What is said about requests, objects and the page itself, in English and simplified Chinese.

See `demo.chinese` for how the patterns are read.
"""

from __future__ import annotations

from typing import Final

_PAGE: Final = {
    "The page sent something that makes no sense. Load it again.": (
        "页面发送的内容无法理解，请重新加载页面。"
    ),
    "Something went wrong on the server (report {} in its log). "
    "What you have made so far is kept.": (
        "服务器出错了（见其日志中的报告 {0}）。您已完成的内容会保留。"
    ),
    "This conversation was closed: it was not used for {} minutes, or others needed the room. "
    "Open the picture or clip again.": (
        "此对话已关闭：闲置了 {0} 分钟，或者要为他人腾出空间。请重新打开图片或视频。"
    ),
    "Too many people are here at once. Try again in a few minutes.": (
        "目前使用的人太多，请过几分钟再试。"
    ),
    "There is no such example.": "没有这个示例。",
    "Open a picture or clip first.": "请先打开图片或视频。",
    "There is nothing to {}.": "没有可以{0:w}的操作。",
    "undo": "撤销",
    "redo": "重做",
    "Choose the object that should be followed.": "请选择要跟踪的对象。",
    "Mark something first.": "请先做标记。",
    "These are {} marks; up to {} can be used at once.": ("共有 {0} 个标记；一次最多使用 {1} 个。"),
    "The scribbles are too long. Draw shorter ones.": "涂画太长了，请画短一些。",
    "The files are being written already. Wait until they are ready.": (
        "文件正在生成，请等待完成。"
    ),
    "Choose among the formats: {}.": "请在这些格式中选择：{0}。",
    "This clip cannot be played here; its frames are shown one by one.": (
        "这段视频无法在此播放；将逐帧显示。"
    ),
    "The clip was closed.": "视频已关闭。",
    "What a request takes is not known before a GPU is lent for it.": (
        "借到 GPU 之前，无法知道请求需要多久。"
    ),
    "There is no GPU for this at the moment. {}": "目前没有可用的 GPU。{0}",
    "The GPU was taken back; what was made until shortly before is kept. {}": (
        "GPU 已被收回；在那之前不久完成的内容会保留。{0}"
    ),
    "A GPU is lent for {} seconds, which is enough for about {} of these {} frames. What is made "
    "by then is kept; take a range of the clip at a time.": (
        "GPU 一次借用 {0} 秒，大约只够处理这 {2} 帧中的 {1} 帧。届时已完成的内容会保留；"
        "请每次选取视频的一段。"
    ),
    "The time that the GPU was lent for is over. What was made is kept; go on with a range of the "
    "clip that begins there.": (
        "GPU 的借用时间已到。已完成的内容会保留；请从那里开始选取一段视频继续。"
    ),
    # What the Batch and the Model tab say about limits, and what is kept
    "Pictures up to {} MB and {} megapixels. Clips up to {} MB, {}, {} frames and {} megapixels a "
    "frame.": (
        "图片不超过 {0} MB、{1} 百万像素；视频不超过 {2} MB、{3:w}、{4} 帧、每帧 {5} 百万像素。"
    ),
    "A picture or clip that you open, and what is found in it, is deleted after {} minutes without "
    "use, a minute after you close the page, or when the server stops. Files that you give to "
    "Batch, and its archive, are deleted after {} minutes. Nobody else can see them. Nothing is "
    "sent anywhere; weights are fetched once, when a model is asked for by the name of a "
    "repository.": (
        "您打开的图片或视频以及从中找到的内容，在闲置 {0} 分钟后、关闭页面一分钟后或服务器停止时"
        "删除。您交给“批量”的文件及其压缩包在 {1} 分钟后删除。其他人都看不到它们。"
        "不会向任何地方发送数据；只有按仓库名称指定模型时才会下载一次权重。"
    ),
    "At most {} pictures and clips are open at once; the one that was unused for longest makes "
    "room for a new one.": ("最多同时打开 {0} 个图片和视频；闲置最久的会为新打开的腾出位置。"),
    # The Batch tab
    "File": "文件",
    "State": "状态",
    "Result": "结果",
    "Time": "用时",
    "{} s": "{0} 秒",
    "waiting": "等待",
    "running": "处理中",
    "done": "完成",
    "failed": "失败",
    "stopped": "已停止",
    "not found": "没有找到",
    "Choose some pictures or clips first.": "请先选择一些图片或视频。",
    "These are {} files; one run takes up to {}.": "共有 {0} 个文件；一次最多处理 {1} 个。",
    "Say what you want in each file, for instance “the dog”.": (
        "请说明要在每个文件里找什么，例如“狗”。"
    ),
    "A run is under way. Stop it first, or wait for its end.": (
        "正在处理上一批文件。请先停止，或等待结束。"
    ),
    "Waiting for the model.": "正在等待模型。",
    "File {} of {}.": "第 {0} 个文件，共 {1} 个。",
    "Packing.": "正在打包。",
    "It failed for a reason that the server's log says.": "出错了，原因见服务器日志。",
    "{} of {} files answered.": "已回答 {0} / {1} 个文件。",
    "{} of {} files answered, {} failed.": "已回答 {0} / {1} 个文件，{2} 个失败。",
    "{} of {} files answered, {} left out.": "已回答 {0} / {1} 个文件，{2} 个未处理。",
    "{} of {} files answered, {} failed, {} left out.": (
        "已回答 {0} / {1} 个文件，{2} 个失败，{3} 个未处理。"
    ),
    "{}, {} of {}": "{0:w} {1} / {2}",
    "looking at frames": "正在观看",
    "segmenting frames": "正在生成掩码",
    "carrying masks": "正在把掩码传递到其他帧",
    "choosing a frame": "正在选择起始帧",
    "segmenting everything": "正在分割所有东西",
}

_REQUESTS: Final = {
    "Say what you are looking for, for instance “the red car” or “what could I sit on?”, "
    "or draw on the picture.": (
        "请说出您要找的东西，例如“红色的车”或“有什么可以坐的？”，或者在画面上做标记。"
    ),
    "Name one category or more, for instance “sky, road, car”.": (
        "请列出一个或多个类别，例如“天空、道路、汽车”。"
    ),
    "A negative mark takes away. Mark first what you mean, with a positive one.": (
        "排除标记只会减去区域。请先用正向标记指出您要的东西。"
    ),
    "Like what? Draw on one of them first.": "像什么？请先在其中一个上做标记。",
    "There is no task “{}”. There are: {}.": "没有任务“{0}”。可用的任务有：{1}。",
    "{} objects are called so. Say which, for instance “the second one”, or “all”.": (
        "有 {0} 个对象叫这个名字。请说明是哪一个，例如“第二个”，或者说“全部”。"
    ),
    "There is no object “{}” in the list to {}. The list has: {}.": (
        "列表中没有可以{1:w}的对象“{0}”。列表里有：{2}。"
    ),
    "There is no object yet to {}. Say what to look for, or draw on it.": (
        "还没有可以{0:w}的对象。请说出要找的东西，或在它上面做标记。"
    ),
    "delete": "删除",
    "hide": "隐藏",
    "show": "显示",
    "rename": "重命名",
    "The text has {} characters; at most {} can be read at once.": (
        "文字有 {0} 个字符；一次最多读取 {1} 个。"
    ),
    "{} needs some words: say what you mean.": "{0:w}需要文字：请说出您的意思。",
    "{} needs names: list one category or more, and leave none empty.": (
        "{0:w}需要名称：请列出一个或多个类别，不要留空。"
    ),
    "{} needs a region: draw on the picture first.": "{0:w}需要一个区域：请先在画面上做标记。",
    "{} takes one region at a time, not {}.": "{0:w}一次只接受一个区域，而不是 {1} 个。",
    "Chat": "对话",
    "Generic segmentation": "全景分割",
    "Open-vocabulary segmentation": "开放词汇分割",
    "Referring segmentation": "指代分割",
    "Reasoning segmentation": "推理分割",
    "Grounded conversation generation": "带掩码的描述",
    "Interactive segmentation": "交互式分割",
    "Video object segmentation": "视频对象分割",
    "Visual-grounded segmentation": "以图找图分割",
    "There is no object “{}”. There are: {}.": "没有对象“{0}”。现有：{1:w}。",
    "none yet": "暂无",
    "There is no object {} in the list.": "列表中没有编号为 {0} 的对象。",
    "An object needs a name.": "对象需要一个名称。",
    "Name two objects or more to merge.": "请选择两个或更多对象来合并。",
    "There is no turn {} to go back to.": "没有可以返回的第 {0} 轮对话。",
    "What the list was before turn {} is not known any more: it is long ago, or was loaded from a "
    "file. Go back to a later turn, or begin a new conversation.": (
        "第 {0} 轮之前的列表已无法恢复：时间太久，或者是从文件载入的。"
        "请返回较后的一轮，或开始新对话。"
    ),
    "A picture has no other frames to carry a mask to.": "图片没有其他帧，无法传递掩码。",
    "“{}” has no mask on any frame. Mark it on a frame first.": (
        "“{0}”在所有帧上都没有掩码。请先在某一帧上标记它。"
    ),
    "“{}” has no mask on frame {}. Mark it on a frame first.": (
        "“{0}”在第 {1} 帧上没有掩码。请先在某一帧上标记它。"
    ),
    "There is no frame {}; there are 0 to {}.": "没有第 {0} 帧；只有第 0 到 {1} 帧。",
    "There is no frame {}; the last one is {}.": "没有第 {0} 帧；最后一帧是第 {1} 帧。",
    "Frame {} comes after frame {}. Swap the two.": "第 {0} 帧在第 {1} 帧之后，请交换两者。",
    "Frame {} is not among frames {} to {}, which were asked for. Choose one of these, or ask for "
    "more.": "第 {0} 帧不在所要求的第 {1} 到 {2} 帧之内。请选择其中一帧，或扩大范围。",
    "Masks are carried {} or both ways.": "掩码的传递方向为 {0}，或双向。",
    "Name the frame to start from, or ask for the best one; not both.": (
        "请指定起始帧，或要求使用最佳帧，二者选一。"
    ),
    "The saved frames of a request are damaged.": "请求中保存的帧已损坏。",
    "“{}” should be {}, not “{}”.": "“{0}”应为 {1}，而不是“{2}”。",
    "“{}” should be at least {}, not {}.": "“{0}”至少应为 {1}，而不是 {2}。",
    "For “sparse_dense”, “frames” should be at least {}, not {}.": (
        "使用“sparse_dense”时，“frames”至少应为 {0}，而不是 {1}。"
    ),
    "There is no effect “{}”; there are {}.": "没有效果“{0}”；可用的有 {1}。",
    "“{}” says nothing to the effect “{}”; write {} after it, or a colour like #1a9850.": (
        "“{0}”对效果“{1}”没有意义；请在其后写 {2}，或 #1a9850 这样的颜色。"
    ),
    "There is no format “{}”; there are {}.": "没有格式“{0}”；可用的有 {1}。",
    "To segment everything takes SAM 2, which is not loaded. Start with --tracker and the name of "
    "one.": "查找所有物体需要 SAM 2，但尚未加载。请在启动时用 --tracker 指定一个。",
    "A search for everything needs at least one point per side and batch.": (
        "查找所有物体时，每边和每批至少需要一个点。"
    ),
    "A search for everything takes at most {} layers of crops and {} points in all.": (
        "分割所有东西时，最多可用 {0} 层裁剪、共 {1} 个点。"
    ),
    "A search for everything takes at most {} points per side.": (
        "查找所有物体时，每边最多 {0} 个点。"
    ),
    "Everything at once is found in pictures, and this is a clip.": (
        "只能在图片中一次查找所有物体，而这是一段视频。"
    ),
    "Up to {} points per side can be tried here.": "这里每边最多可用 {0} 个点。",
    "“{}” should be from 0 to 1, not {}.": "“{0}”应在 0 到 1 之间，不能是 {1}。",
    "This was found for another picture. Search again.": ("这是在另一张图片中找到的，请重新查找。"),
    "SAM 2 is not loaded, so it cannot carry masks. Start with --tracker and the name of one, or "
    "let the model's own memory carry them.": (
        "未加载 SAM 2，无法用它传递掩码。请在启动时用 --tracker 指定一个，"
        "或让模型用自己的记忆传递。"
    ),
    "The device is out of memory. Use fewer frames, a smaller picture or a smaller model, or try "
    "again when others are done.": (
        "设备内存不足。请减少帧数、换用较小的图片或模型，或等他人用完后再试。"
    ),
}

_MARKS: Final = {
    "The point {}, {} is outside: the picture is {} × {} pixels.": (
        "点（{0}, {1}）在画面之外：图片为 {2} × {3} 像素。"
    ),
    "The point ({}, {}) is outside of the picture, which is {} × {} pixels.": (
        "点（{0}, {1}）在画面之外：图片为 {2} × {3} 像素。"
    ),
    "The box ({}, {}) to ({}, {}) is empty: drag it from one corner of the object to the opposite "
    "one.": "从（{0}, {1}）到（{2}, {3}）的框是空的：请从对象的一角拖到对角。",
    "A drawn mask is {} pixels; it should be {} × {}.": (
        "手绘掩码为 {0} 像素；应为 {1} × {2} 像素。"
    ),
    "The mask is {} pixels and the picture {} × {}; they should have the same size.": (
        "掩码为 {0} 像素，图片为 {1} × {2} 像素；两者的大小应当相同。"
    ),
    "The marked region is empty. Draw or click on the thing you mean.": (
        "标记的区域是空的。请在您要的东西上涂画或点击。"
    ),
    "Nothing is left of the marked region. Mark what you mean as well.": (
        "标记的区域被全部减去了。请同时标出您要的东西。"
    ),
    "Nothing is marked: set a point, draw a box or paint a mask.": (
        "还没有标记：请点一个点、画一个框或涂一个掩码。"
    ),
    "Every point needs a label: 1 on the object, 0 beside it.": (
        "每个点都需要一个标签：对象上为 1，对象外为 0。"
    ),
    "Say first where the object is: set a point on it, draw a box around it or paint it.": (
        "请先指出对象的位置：在上面点一个点、画一个框或把它涂出来。"
    ),
    "There is nothing to track yet: mark an object on a frame first.": (
        "还没有可以跟踪的东西：请先在某一帧上标记一个对象。"
    ),
    "Object {} has no marks: mark it on a frame first.": (
        "对象 {0} 没有标记：请先在某一帧上标记它。"
    ),
    "A clip is tracked forward, backward or both ways.": "视频可以向前、向后或双向跟踪。",
    "Frame {} is not in the range {} to {}.": "第 {0} 帧不在第 {1} 到 {2} 帧的范围内。",
    "Frame {} is not in this clip, which has the frames 0 to {}.": (
        "这段视频没有第 {0} 帧；只有第 0 到 {1} 帧。"
    ),
    "A search for everything needs at least one point per side and batch.": (
        "分割所有东西时，每边和每批至少需要一个点。"
    ),
    # What the engine remarks
    "The model described it without pointing at anything.": "模型作了描述，但没有指出任何东西。",
    "The model sees no object there; what you drew is kept as it is.": (
        "模型在那里没有看到对象；您画的内容按原样保留。"
    ),
    "The model sees no object there; the masks of other frames stay as they were.": (
        "模型在那里没有看到对象；其他帧的掩码保持不变。"
    ),
    "SAM 2 and the model disagreed about “{}” at frame {}. The model is believed there and halfway "
    "to its frame before. Check the frames around, and mark what you mean where they are wrong.": (
        "SAM 2 与模型对“{0}”在第 {1} 帧的判断不一致。此处以及到模型上一次所看的帧的一半，"
        "以模型为准。请检查附近的帧，并在有误的地方标记。"
    ),
    "SAM 2 and the model disagreed about “{}” at frames {}. The model is believed there and "
    "halfway to its frame before. Check the frames around, and mark what you mean where they are "
    "wrong.": (
        "SAM 2 与模型对“{0}”在第 {1:w} 帧的判断不一致。这些地方以及到模型上一次所看的帧的一半，"
        "以模型为准。请检查附近的帧，并在有误的地方标记。"
    ),
    "{} and more": "{0} 等",
}

_REASONS: Final = {  # why a request was understood as it was
    "names → every one": "多个名称 → 逐一找出",
    "a long text → an answer in words": "长文本 → 用文字回答",
    "everything → a caption with masks": "所有东西 → 带掩码的描述",
    "drawing without words → this object": "只有标记，没有文字 → 就是这个对象",
    "“all like this” → everything like it": "“所有像这样的” → 找出所有类似的东西",
    "small talk → an answer in words": "闲聊 → 用文字回答",
    "“in words” → an answer without masks": "“用文字” → 不带掩码的回答",
    "“describe” → a caption with masks": "“描述” → 带掩码的描述",
    "a purpose → reasoning about what serves it": "一种用途 → 推理什么能派上用场",
    "a question about number, colour, kind or yes and no → an answer in words": (
        "关于数量、颜色、种类或是否的问题 → 用文字回答"
    ),
    "question → reasoning with an answer": "问题 → 推理并回答",
    "a wish → reasoning about what serves it": "一个愿望 → 推理什么能满足它",
    "a question about what there is → an answer in words": "关于有什么的问题 → 用文字回答",
    "something to tell or write → an answer in words": "要求讲述或书写 → 用文字回答",
    "{} names, separated by commas or “and” → categories": ("{0:w}个名称，用逗号或“和”分隔 → 类别"),
    **dict(
        zip(
            ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
            ("零", "一", "两", "三", "四", "五", "六", "七", "八", "九"),
            strict=True,
        )
    ),
    "a question → an answer in words": "问题 → 用文字回答",
    "a question to be shown → reasoning with masks": "要求指出的问题 → 带掩码的推理",
    "a remark → an answer in words": "一句评论 → 用文字回答",
    "words that lean on an earlier turn → read after it": "承接前文的话 → 结合前文理解",
    "“all” or more than one → every single one": "“所有”或多个 → 逐一找出",
    "words for a thing → that thing": "描述某样东西的话 → 那样东西",
    "a mark on an object → that object is corrected": "在对象上做标记 → 修正该对象",
    "as many names as drawings → one for each": "名称与标记数目相同 → 一一对应",
    "drawing + “all” or more than one → everything like it": (
        "标记 + “所有”或多个 → 找出所有类似的东西"
    ),
    "“describe” + drawing → an answer about what was drawn": "“描述” + 标记 → 就所标记的部分回答",
    "drawing + a name → this object, by that name": "标记 + 名称 → 就是这个对象，并用此名称",
    "chosen by you": "由您选择",
    "{}; the drawing is not used": "{0:w}；标记未被使用",
    "the list can be changed without looking": "更改列表无需查看画面",
    "an object of the list → no need to look for it": "列表中的对象 → 无需再找",
    "only objects of the list → the others are hidden": "只要列表中的这些对象 → 隐藏其他对象",
    "“{}” on frame {} → the same on other frames": "第 {1} 帧上的“{0}” → 其他帧上的同一对象",
}

ANSWERS: Final = _PAGE | _REQUESTS | _MARKS | _REASONS
