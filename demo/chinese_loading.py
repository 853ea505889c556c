"""What is said about loading a model, in English and simplified Chinese."""

from __future__ import annotations

from typing import Final

LOADING: Final[dict[str, str]] = {
    "The model takes {} of memory on {}, and {} is free. Free some, load it in 8 bits ({}) or 4 "
    "bits ({}), let a part of it be kept elsewhere (offload), or take a smaller model such as "
    "nano.": "模型需要占用 {1} 的 {0} 内存，而可用的只有 {2}。请释放一些内存，改用 8 位（{3}）或 "
    "4 位（{4}）加载，把一部分放到别处（offload），或选用 nano 这样更小的模型。",
    "What has to be on {} takes {} of its memory, and {} is free. Free some, or take a smaller "
    "model such as nano.": "必须放在 {0} 上的部分需要 {1} 内存，而可用的只有 {2}。"
    "请释放一些内存，或选用 nano 这样更小的模型。",
    "The model takes {} and a picture about {} more, for which there is no room on {}, in memory "
    "and on the disk together. Free some, or take a smaller model such as nano.": "模型需要 {0}，"
    "处理图片大约还需要 {1}，{2}、内存和磁盘加起来也放不下。请释放一些空间，或选用 nano 这样更小"
    "的模型。",
    "Reading the model takes {} of this machine's memory, and {} is free. Free some first.": (
        "读取模型需要这台机器的 {0} 内存，而可用的只有 {1}。请先释放一些内存。"
    ),
    "{} has to be fetched, which takes {} of disk at {}; {} is free there. Make room, or name "
    "another folder in HF_HOME.": "{0} 需要下载，将占用 {2} 处的 {1} 磁盘空间，而那里可用的只有 "
    "{3}。请腾出空间，或在 HF_HOME 中指定另一个文件夹。",
    "Weights can be stored in 8 or 4 bits, not in {}.": (
        "权重可以用 8 位或 4 位存储，不能用 {0} 位。"
    ),
    "Weights in {} bits cannot be had on {}: bitsandbytes says “{}”. Load the model without.": (
        "无法在 {1} 上使用 {0} 位权重：bitsandbytes 的说明是“{2}”。请不用此选项加载模型。"
    ),
    "Weights in {} bits do not work on {}; load without.": (
        "{0} 位权重在 {1} 上不能正常工作；请不用此选项加载。"
    ),
    "Weights in 8 or 4 bits have to be on one device; leave the bits out, or name the device and "
    "do not offload.": "8 位或 4 位权重必须放在一个设备上；请不要指定位数，或指定设备并且不使用 "
    "offload。",
    "LoRA can only be kept apart on one device and in full precision; merge it.": (
        "只有在一个设备上并使用完整精度时，LoRA 才能单独保留；请将其合并。"
    ),
    "There is no device {}; {}.": "没有设备 {0}；{1}。",
    "There is no device {} here; {}.": "这里没有设备 {0}；{1}。",
    "{} is not a repository on the Hub, so it has no revisions.": (
        "{0} 不是 Hub 上的仓库，因此没有版本可选。"
    ),
}
