"""What is said about pictures, clips, saved work and weights, in English and simplified Chinese.

See `demo.chinese` for how the patterns are read.
"""

from __future__ import annotations

from typing import Final

_SIZES: Final = {
    "{} is too large ({}); a {} may be up to {}.": "{0:w} 太大（{1:w}）；{2:w}最大为 {3:w}。",
    "This file": "此文件",
    "picture": "图片",
    "clip": "视频",
    "frame": "每帧画面",
    "{} MB": "{0} MB",
    "{} megapixels": "{0} 百万像素",
    "{} × {} pixels": "{0} × {1} 像素",
    "{} minutes": "{0} 分钟",
    "{} seconds": "{0} 秒",
    "{} frames": "{0} 帧",
    "{} has too many pixels; a picture may have {} million.": (
        "{0} 的像素太多；图片最多为 {1} 百万像素。"
    ),
    "The picture is {} × {} pixels; its longer side may be at most {} times the shorter one.": (
        "图片为 {0} × {1} 像素；长边最多为短边的 {2} 倍。"
    ),
    "The server's disk is full. Try again later.": "服务器磁盘已满，请稍后再试。",
    "The server has no room for this file.": "服务器没有空间存放此文件。",
    "The server has no room for these files.": "服务器没有空间存放这些文件。",
    "The upload was broken off.": "上传中断了。",
    "There is not enough memory to decode {}.": "内存不足，无法解码 {0}。",
}

_MEDIA: Final = {
    "{} is a still picture. Open it in the Image tab.": (
        "{0} 是静态图片，请在“图片”标签页中打开。"
    ),
    "{} is a clip. Open it in the Video tab.": "{0} 是视频，请在“视频”标签页中打开。",
    "{} is a still picture, not a clip.": "{0} 是静态图片，不是视频。",
    "{} is not a picture that can be read, or it is damaged.": (
        "{0} 不是可以读取的图片，或者已损坏。"
    ),
    "{} ends too early, so it cannot be read as a picture.": ("{0} 不完整，无法作为图片读取。"),
    "{} is damaged, so it cannot be read as a picture.": "{0} 已损坏，无法作为图片读取。",
    "{} is neither a picture nor a clip that can be read, or it is damaged.": (
        "{0} 不是可以读取的图片或视频，或者已损坏。"
    ),
    "{} is a folder, not a file.": "{0} 是文件夹，不是文件。",
    "There is no file {}.": "没有文件 {0}。",
    "{} is empty.": "{0} 是空的。",
    "{} cannot be opened.": "无法打开 {0}。",
    "{} cannot be read: {}.": "无法读取 {0}：{1}。",
    "{} is damaged.": "{0} 已损坏。",
    "{} is locked with a password.": "{0} 有密码保护。",
    "{} is not a zip archive that can be read.": "{0} 不是可以读取的 zip 压缩包。",
    "{} holds no pictures, so it is no clip.": "{0} 中没有图片，不能作为视频。",
    "{} holds pictures in several folders ({}, {}); pack the frames of one clip only.": (
        "{0} 中的图片分布在多个文件夹（{1}、{2}）；请只打包一段视频的帧。"
    ),
    "All frames of a clip have one size, but {} is {} × {} and {} is {} × {}.": (
        "一段视频的所有帧应大小相同，但 {0} 为 {1} × {2}，而 {3} 为 {4} × {5}。"
    ),
    "{} is in a format nobody here can decode.": "{0} 的格式无法在此解码。",
    "{} has no moving picture.": "{0} 中没有视频画面。",
    "{} has no frame that can be decoded.": "{0} 中没有可以解码的帧。",
    "Frame {} of {} is damaged.": "{1} 的第 {0} 帧已损坏。",
    "Frame {} of {} is larger than the first.": "{1} 的第 {0} 帧比第一帧大。",
    "A frame of {} cannot be converted to RGB.": "{0} 中有一帧无法转换为 RGB。",
    "{} has frames 0 to {}, but no frame {}.": "{0} 只有第 0 到 {1} 帧，没有第 {2} 帧。",
    "{} was closed.": "{0} 已关闭。",
    "{} cannot be written: {}.": "无法写入 {0}：{1}。",
    "{} cannot be written to: {}.": "无法写入 {0}：{1}。",
    # What is remarked about a file that was opened
    "It has {} frames; this is the first.": "它有 {0} 帧；这是第一帧。",
    "Its print colours (CMYK) are converted without a colour profile.": (
        "印刷色（CMYK）已转换，未使用色彩配置文件。"
    ),
    "Its brightness has more than 8 bits; it is reduced to 8.": "亮度超过 8 位，已降为 8 位。",
    "Transparent parts are shown on white.": "透明部分以白色显示。",
    "{} frames per second are assumed.": "按每秒 {0} 帧处理。",
    "The time between its frames varies; it is kept.": "帧间隔不固定，按原样保留。",
    "It ends after {} of the {} seconds it promises.": "标称 {1} 秒，实际只有 {0} 秒。",
    "Its pixels are not square ({}); they are shown as if they were.": (
        "像素不是正方形（{0}），按正方形显示。"
    ),
}

_SAVED: Final = {
    "A mask should have a size and counts, as COCO writes them.": (
        "掩码应有 COCO 格式的 size 和 counts。"
    ),
    "The runs of a mask do not fill its {} × {} pixels.": ("掩码的游程没有填满 {0} × {1} 像素。"),
    "A track has a frame with a number below 0.": "掩码序列中有编号小于 0 的帧。",
    "A track should have a size and frames.": "掩码序列应有 size 和 frames。",
    "A saved object is damaged and cannot be read.": "保存的对象已损坏，无法读取。",
    "A saved turn is damaged and cannot be read.": "保存的一轮对话已损坏，无法读取。",
    "A saved drawing is damaged and cannot be read.": "保存的标记已损坏，无法读取。",
    "The saved history of an object is damaged.": "保存的对象历史已损坏。",
}

_WEIGHTS: Final = {
    "The model cannot be loaded; the server's log says why.": ("无法加载模型，原因见服务器日志。"),
    "The small model 'nano' is not part of this copy of x2sam.": (
        "这份 x2sam 中不包含小模型 nano。"
    ),
    "There is no checkpoint at {}.": "{0} 处没有模型权重。",
    "There is no file or folder {}, and it could not be fetched from the Hugging Face Hub either: "
    "{}": "没有文件或文件夹 {0}，也无法从 Hugging Face Hub 获取：{1}",
    "{} has to be fetched, which takes {} of disk at {}; {} is free there. Make room, or name "
    "another folder in HF_HOME.": (
        "需要下载 {0}，占用 {2} 处磁盘 {1}；那里剩余 {3}。请腾出空间，或用 HF_HOME 指定其他文件夹。"
    ),
    "Weights can be stored in 8 or 4 bits, not in {}.": (
        "权重可以用 8 位或 4 位存储，不能用 {0} 位。"
    ),
    "Weights in {} bits cannot be had on {}: bitsandbytes says “{}”. Load the model without.": (
        "{1} 上无法使用 {0} 位权重：bitsandbytes 报告“{2}”。请不用量化加载模型。"
    ),
    "Weights in {} bits do not work on {}; load without.": (
        "{0} 位权重在 {1} 上无法工作；请不用量化加载。"
    ),
    "{} is quantised ({} is {}); ask for the weights in float16, bfloat16 or float32.": (
        "{0} 是量化的（{1} 为 {2}）；请使用 float16、bfloat16 或 float32 的权重。"
    ),
    "Two files of {} hold {}; is it two checkpoints?": (
        "{0} 中有两个文件都包含 {1}；是否混入了两份权重？"
    ),
    "{} is not a checkpoint: its name should end in one of {}.": (
        "{0} 不是模型权重：文件名应以 {1} 之一结尾。"
    ),
    "{} has {} checkpoints; name one of its files.": "{0} 中有 {1} 份权重；请指定其中一个文件。",
    "There are no weights in {}.": "{0} 中没有权重。",
    "{} is damaged: it does not list a checkpoint.": "{0} 已损坏：没有列出权重文件。",
    "{} is incomplete: {} is missing.": "{0} 不完整：缺少 {1}。",
    "{} was refused: it holds more than tensors, and reading it could run a stranger's code. Ask "
    "for the weights as .safetensors.": (
        "已拒绝 {0}：其中不只有张量，读取它可能会运行陌生人的代码。请索取 .safetensors 格式的权重。"
    ),
    "{} cannot be read: it is damaged, incomplete or not a checkpoint ({} bytes).": (
        "无法读取 {0}：它已损坏、不完整或不是模型权重（{1} 字节）。"
    ),
    "{} is not a checkpoint: it holds no table of tensors.": ("{0} 不是模型权重：其中没有张量表。"),
    "{} holds only what training changed. The rest is in Qwen3-VL-4B-Instruct: name its folder, or "
    "its repository on the Hub, as the base.": (
        "{0} 只包含训练改动的部分，其余在 Qwen3-VL-4B-Instruct 中："
        "请用 base 指定其文件夹或 Hub 上的仓库。"
    ),
    "{} holds some weights twice, under two names.": "{0} 中有些权重以两个名称出现了两次。",
    "{} has one table for reading words and another for writing them; in this model they are "
    "one.": "{0} 的输入词表和输出词表是分开的；此模型中两者是同一个。",
    "{} does not fit the model. Weights: {}. This looks like {}.": (
        "{0} 与模型不匹配。权重：{1}。看起来像是 {2}。"
    ),
    "{} does not fit into the memory of {}. Free some, or run on the CPU.": (
        "{1} 的内存放不下 {0}。请释放一些内存，或在 CPU 上运行。"
    ),
    "There is no tokenizer.json with {}. Name the folder of Qwen3-VL as the base.": (
        "{0} 中没有 tokenizer.json。请用 base 指定 Qwen3-VL 的文件夹。"
    ),
    "The tokenizer {} cannot be read: {}.": "无法读取分词器 {0}：{1}。",
    "The tokenizer has no token {}; is it one of Qwen's?": (
        "分词器中没有词元 {0}；它是 Qwen 的分词器吗？"
    ),
    "The model's config.json is not JSON: {}.": "模型的 config.json 不是 JSON：{0}。",
    "The model's config.json is damaged: {} should be an object.": (
        "模型的 config.json 已损坏：{0} 应为对象。"
    ),
    "The model's config.json is damaged: {} is {}.": "模型的 config.json 已损坏：{0} 为 {1}。",
    "The model's config.json has fields this version does not know: {}.{}": (
        "模型的 config.json 中有此版本不认识的字段：{0}.{1}"
    ),
    "{} is not a SAM 2.1 video checkpoint. Known are {}.": (
        "{0} 不是 SAM 2.1 视频模型的权重。已知的有 {1}。"
    ),
    "{} is a SAM 2 of an unknown size. Known are {}.": ("{0} 是未知大小的 SAM 2。已知的有 {1}。"),
    "{} is SAM 2.0; take the same size of SAM 2.1: {}.": (
        "{0} 是 SAM 2.0；请使用同样大小的 SAM 2.1：{1}。"
    ),
    "{} is incomplete: {} weights like {} miss.": "{0} 不完整：缺少 {1} 个权重，例如 {2}。",
    "{} has {} unknown weights like {}.": "{0} 中有 {1} 个未知的权重，例如 {2}。",
    "{} does not fit: {} is {} and should be {}.": "{0} 不匹配：{1} 为 {2}，应为 {3}。",
    "The package sam2 is not installed; take the back end transformers.": (
        "未安装 sam2 软件包；请使用 transformers 后端。"
    ),
    "The package sam2 cannot be imported ({}); take the back end transformers.": (
        "无法导入 sam2 软件包（{0}）；请使用 transformers 后端。"
    ),
    "EdgeTAM could not be loaded from {}: {}": "无法从 {0} 加载 EdgeTAM：{1}",
}

FILES: Final = _SIZES | _MEDIA | _SAVED | _WEIGHTS
