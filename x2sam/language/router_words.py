"""The words the router knows, one pattern for each of its rules, in English and Chinese.

A pattern matches from the beginning; `whole=True` wants all of the text, and `_ANYWHERE` in front
lets it start later. They see a request after `said.Said` has unwrapped it.

    >>> bool(WHICH.match("which of these can fly")), bool(WHICH.match("which colour is it"))
    (True, True)
    >>> bool(ABOUT_WORDS.match("which colour is it"))
    True

Order is the router's: what comes first in its table wins, so `WHICH` need not know `ABOUT_WORDS`.
"""

from __future__ import annotations

from typing import Final

from x2sam.language.said import MEDIUM_NAMES, pattern

_MEDIUM = rf"(?:(?:the |this |that |my )?(?:whole |entire )?{MEDIUM_NAMES})"
_ANYWHERE = r".*?"
_THING = r"(?:one|ones|object|objects|thing|things|area|region|part|spot|item|place)"
_DREW = r"(?:drew|drawn|marked|clicked|circled|boxed|selected|pointed|scribbled|painted|outlined)"
_MODAL = r"(?:can|could|should|might|would|may|must)"
_PERSON = r"(?:i|we|you|one|someone|people|he|she|they)"
_ZH_MEDIUM = r"(?:这|那|该)?(?:张|个|段|幅|副)?(?:图像|图片|照片|画面|视频|影片|短片|图|场景)"
ZH_UNIT = r"[个些只种位条辆件样把张类匹朵棵头座艘本块台]"
_ZH_STUFF = r"(?:东西|物体|物品|对象|目标|部分|区域|地方|位置)"

THIS: Final = pattern(
    rf"(?:(?:only|just|not|and|remove|correct|fix|cut out|add) )?"
    rf"(?:|it|here|(?:this|that|these|those|them)(?: {_THING})?"
    rf"|(?:what|the {_THING}|everything)(?: that)? (?:i|i've|i have|was|is) (?:just )?{_DREW}.*"
    rf"|(?:what is |the {_THING} )?(?:inside|in|under|at|within) "
    r"(?:the|this|my) (?:box|circle|mark|point|click|scribble|drawing|selection|region|rectangle)"
    rf"|the {_DREW} {_THING})(?: too| also| as well| instead)?",
    rf"(?:就是?|只要|不是|还有)?[这那](?:里|儿|一?{ZH_UNIT})?{_ZH_STUFF}?|它们?",
    rf"我?(?:刚才)?(?:画|圈|框|点|选|标)(?:出来|起来|出|中|了)?的{_ZH_STUFF}?(?:那个)?",
    r"[框圈](?:里|中|内)的?.*",
    whole=True,
)

LIKE: Final = pattern(
    r"(?:.*\b(?:all|every\w*|anything|any|others?|more|same|ones?|things?|objects?|instances?)\b"
    r".* )?"
    r"(?:like|similar to|the same as|same as|resembling|alike to) "
    rf"(?P<what>this|that|these|those|it|them|(?:this|that) {_THING}|what i {_DREW}.*|the .+)$",
    r"(?:find |show |all |any |every |more |the |other |others )*(?:similar|identical|alike|same)"
    rf"(?:[- ]looking)?(?: {_THING})?$",
    r"(?:all|everything|others|more|every one|any|anything)(?: else)? of (?:this|that|the same) "
    r"(?:kind|type|sort|class|species)",
    r"(?:(?:all|every \w+|everything|others?|anything|objects?|things?) )?(?:of )?the same "
    r"(?:kind|type|sort|class|species)$",
    r"(?:所有|全部|其他|其它|别|和|与|跟|像|同)*的?(?:像|跟|和|与|同)(?P<zwhat>[这那它我第].*?)"
    rf"(?:这样|那样|一样|类似|相似|相同|同类|一类|差不多|似)*的?(?:所有|全部|其他)*的?{_ZH_STUFF}?$",
    rf"(?:所有|全部|其他|其它)*的?(?:同类|同种|类似|相似|相同|同样|一样)型?的?{_ZH_STUFF}?(?:都)?$",
)

EVERYTHING: Final = pattern(
    r"everything(?: (?:(?:that )?(?:you can |you |i can |i )?(?:see|find)|there is|visible|here"
    r"|that is (?:there|visible|here)|separately))?",
    r"(?:all|every(?: single)?|each)(?: the| of the)?(?: (?:visible|different|separate))?"
    r"(?: (?:things?|objects?|stuff|items?|elements?|instances?|pixels?|regions?|parts?))?",
    r"all (?:of it|there is|you (?:can )?see)|anything|whatever you (?:can )?see|the objects"
    r"|(?:the |all the |all )?masks",
    _MEDIUM,
    rf"一切|全部|(?:所有|全部|每个|每一个|各个)(?:的)?(?:{_ZH_STUFF}|内容)?(?:都)?",
    rf"整(?:张|个|幅)?(?:图片?|画面|照片|视频|场景)|{_ZH_MEDIUM}|万物|所有能看到的.*|看到的一切",
    whole=True,
)

GREETING: Final = pattern(
    r"(?:hi|hello|hey|good (?:morning|evening|afternoon|day)|bye|goodbye)(?: there| all| again)?",
    r"(?:thanks?|thank you|thx)(?: you)?(?: very much| so much| a lot)?|(?:ok|okay|cool|great|nice"
    r"|wow|please|yes|no|perfect|good|awesome)(?: job| work)?|help(?: me)?",
    r"what can (?:you|i) do(?: here| with (?:this|you|it))?|who are you"
    r"|how (?:do|does) .{1,20} work|how are you.*|what are you",
    r"(?:你|您)好(?:呀|啊|吗)?|谢谢.{0,4}|多谢|再见|早上好|晚上好|好的?|嗨|哈喽|帮助|你是谁|你是什么"
    r"|你(?:能|会)(?:做)?什么|怎么用|棒|真棒|厉害",
    whole=True,
)

IN_WORDS: Final = pattern(
    r"(?:describe|tell|answer|explain|caption|what|summari[sz]e|say).*"
    r"(?:\bwithout (?:any |the )?masks?|\bin words|\bno masks?|\bas text|text only|only text)",
    r".*(?:描述|介绍|说|告诉|什么).*(?:不要|不用|无需|不带|不需要)(?:掩码|蒙版|分割|标注)|.*用文字",
)

_DESCRIPTION = (
    r"(?:(?:brief|short|detailed|grounded|quick|full|long) )*(?:description|caption|summary)"
)
_WITH_MASKS = (
    r"(?:[,.]? (?:and |please )*(?:with|include|show|add|mark|output|segment|give)\b.*"
    r"(?:masks?|segmentations?|segments|segmented|segment it|mentioned|things|objects).*)"
)
DESCRIBE: Final = pattern(
    r"(?:briefly )?(?:describe|caption)(?: briefly)?"
    rf"(?: (?:this|it|that|everything|what you (?:can )?see|(?:the contents? of )?{_MEDIUM}))?"
    rf"(?: briefly| in detail| to me| here)?{_WITH_MASKS}?",
    rf"(?:give|write|make|generate|create|provide|get)(?: me)? (?:an? )?{_DESCRIPTION}"
    rf"(?: (?:of|for) (?:this|it|that|{_MEDIUM}))?{_WITH_MASKS}?",
    rf"(?:an? )?{_DESCRIPTION}(?: (?:of|for) (?:this|it|{_MEDIUM}))?{_WITH_MASKS}?",
    rf"(?:what (?:do|can) you see|what(?:'s| is) (?:here|there|in {_MEDIUM}))\b.*\bmasks?\b.*",
    rf"tell me about {_MEDIUM}{_WITH_MASKS}",
    r"(?:简单|简要|详细|请)*地?(?:描述|描写|介绍|讲讲|说说)(?:一下|下)?"
    rf"(?:这里|这|{_ZH_MEDIUM})?(?:里|中)?的?(?:全部|所有)?(?:内容|情况)?"
    r"(?:[,并同时且 ]*(?:带|配|加|用|给出|标出|附|分割|显示|画出).*)?",
    r"看图说话|.*(?:带|配|附)(?:上|有)?(?:掩码|蒙版|mask|分割)的?(?:描述|说明|介绍)",
    whole=True,
)

_SORT = (
    r"(?:place|tool|device|object|thing|item|spot|food|animal|one|part|vehicle|area|person|people"
    r"|furniture|piece|appliance|surface|seat|exit|way)s?"
)
_SERVES = (
    r"(?:can|could|keeps?|helps?|protects?|makes?|gives?|would|might|may|should|lets?|allows?"
    r"|provides?|holds?|tells?|stops?|lives?|flies|fly|eats?|swims?|needs?|belongs?|does not belong"
    r"|(?:is|are) (?:most|used|likely|meant|able|suitable|best|about|needed|good|safe|out of place)"
    r"|(?:is|are) \w+able|doesn't belong)"
)
PURPOSE: Final = pattern(
    _ANYWHERE + r"\b(?:some|any)(?:thing|where|one|body)(?: (?:\w+ )?(?:to|that|for|with|which|who"
    rf"|used|suitable|{_PERSON}|\w+[ai]ble)\b| else to)",
    _ANYWHERE + rf"\b(?:the|an?|any|all|those|which) (?:\w+ ){{0,2}}{_SORT} "
    rf"(?:to (?!the\b|its\b|his\b|her\b)\w+|(?:(?:that|which|who|where) )?(?:{_PERSON}) "
    rf"(?:{_MODAL}|need|use)|used (?:to|for|in)|(?:that|which|who) {_SERVES}"
    r"|meant|designed|suitable|for \w+ing|(?:on|in|with) which)\b",
    _ANYWHERE + r"\b(?:most|least) (?:likely|suitable|dangerous|expensive|comfortable|important"
    r"|valuable|useful|appropriate|unusual|interesting|fragile|edible|relevant)\b",
    _ANYWHERE + r"\b(?:odd one out|out of place|edible things?|safest (?:place|spot|way))\b",
    rf"what (?:{_PERSON}) (?:{_MODAL}|need)\b",
    r"what (?:the|an?|my|his|her|their|this|that) (?:\w+ ){1,3}(?:is|are|was|were|wears|holds"
    r"|carries|rides|eats)\b",
    r"what (?:he|she|they|it) (?:is|are|was|wears?|holds?|carr(?:y|ies)|rides?)\b",
    _ANYWHERE + r"(?:可以|能够|能|适合|方便|用来|用于|会|可)[^,。?]{1,12}的"
    r"(?:东西|物体|物品|工具|地方|位置|家具|动物|食物|人|部分|设备|交通工具|器具|水果|座位)",
    _ANYWHERE + r"最(?:可能|适合|容易|危险|安全|值钱|贵|舒服|重要|不寻常|合适|有用)",
    _ANYWHERE + r"(?:让|使|帮|给)[我人]?[^,。?]{1,10}的(?:东西|物品|工具|地方)",
)

_ATTRIBUTE = (
    r"(?:colou?r|time|number|name|kind|type|sort|breed|brand|shape|size|language|country|city|year"
    r"|season|date|day|word|text|title|age|gender|temperature|weather|mood|style|material|make"
    r"|model|way|direction|species|difference|purpose|reason|meaning|sport|genre|era|century|side"
    r"|emotion|event|month|month|continent|game|movie|artist|song|relationship|distance)s?"
)
ABOUT_WORDS: Final = pattern(
    r"(?:how|why|when|whose|whom)\b",
    rf"(?:what|which)(?:'s| is| are)? (?:the |its |his |her |their |this )?(?:\w+ )?{_ATTRIBUTE}\b"
    rf"(?! {_MODAL} )",
    r"(?:of|in|at|to|from|on|for|by|with) (?:what|which)\b",
    r"(?:is|are|was|were|do|does|did|has|have|had|am|will|isn't|aren't|doesn't|don't) \w",
    rf"{_MODAL} (?:i|we|he|she|it|they|the|this|that|these|anyone|someone|people|an?|you) ",
    r"which is \w+(?: \w+)?,? .* or .*",
    _ANYWHERE
    + r"(?:多少|几[个只条辆位名头匹棵把张座朵点岁人种次秒分件本]|什么颜色|什么(?:品种|牌子"
    r"|时候|时间|季节|天气|意思|名字|类型|语言|字|动作|关系|材质|形状|样子)|为什么|为何|怎么|怎样|如何|有没有"
    r"|是不是|会不会|是否|多大|多高|多远|多长|多久|多重|哪里拍|哪儿拍|哪年|哪国|什么地方拍"
    r"|哪[个种]?(?:国家|城市|季节|颜色|年代|语言|方向|品种|牌子|时间))",
    _ANYWHERE + r"(?:吗$|叫什么|写[着了]?什么|发生|[干做]什么|干嘛|在哪里拍)",
)

_VISIBLE_VERB = (
    r"(?:keeps?|holds?|protects?|gives?|provides?|helps?|lights?|carries|stops?|supports?|covers?"
    r"|connects?|powers?|produces?|cools?|heats?|moves|flies|eats|lives|swims|barks|grows|belongs"
    r"|looks|seems|prevents|does not belong|doesn't belong|shows the time|tells the time"
    r"|makes (?:light|music|noise|sound|the \w+ \w+))"
)
_LEAD = r"(?:.*[.!?;] ?|(?:i|i'm|we|my|it|there) .*, ?)?"  # "I am hungry, "
WHICH: Final = pattern(
    _LEAD + r"which\b",
    _LEAD + rf"what {_MODAL} (?!happen|cause|explain|you (?:see|do|say|call|tell|think|notice|hear)"
    r"|i (?:see|do|say|call|learn|know)|we (?:see|do|say|learn|conclude|know))",
    _LEAD + rf"where {_MODAL} ",
    _LEAD + r"where do i |what part of ",
    _LEAD + rf"what {_VISIBLE_VERB}\b",
    _LEAD + r"what(?:'s| is| are) (?:used|meant|designed|needed|good|best|safe|dangerous|edible"
    r"|likely|about to|most|the (?:most|\w+est)) ?",
    _LEAD + r"who (?!(?:is|are|was) (?:this|that|he|she|it|they|there|in|you|i)\b|(?:is|are|was) "
    r"the (?!most|\w+est))(?:is|are|can|could|might|will|would|has|should|\w+s)\b",
    _LEAD + r"who's (?!this|that|he|she|it|there|the)",
    _ANYWHERE + rf"哪(?:一)?{ZH_UNIT}",
    _ANYWHERE
    + r"(?:可以|能|应该|该|会)[坐站躺睡吃喝用放停写切住躲骑开穿拿买](?:在|到)?(?:什么|哪)",
    _ANYWHERE + r"(?:什么|哪)(?:东西|动物|物体|人|工具|食物|家具|地方)?(?:可以|能|会|最|适合)",
    _ANYWHERE + r"[用拿]什么(?:可以|能|来|东西)",
    _LEAD + r"谁(?:在|正|拿|穿|戴|会|可能|最|能|可以|有|坐|站|看起来|抱|骑|需要)",
    _ANYWHERE + r"(?:可以|能|应该)(?:在|去)?(?:哪里|哪儿|哪)[坐站躺睡放停躲休]",
)

NEED: Final = pattern(
    rf"(?:{_PERSON}|my \w+)(?:'m| am|'re| are| is|'ve)? (?:(?:so|very|really|a bit|getting) )?"
    r"(?:need|needs|want|wants|would like|looking for|searching for|hungry|thirsty|tired|cold|hot"
    r"|lost|sleepy|bored|bleeding|starving|freezing|wet)\b",
    r"我(?:好|很|有点|想|要|现在|真的|太)*(?:饿|渴|累|冷|热|困|口渴|需要|吃|喝|坐|睡|休息)",
)

QUESTION: Final = pattern(
    r"(?:what|who|where|when|why|how|which|whose|whom)(?:'s|'re)?\b",
    _ANYWHERE + r"(?:什么|谁|哪里|哪儿|怎么|[呢吗]$)",
)

TELL: Final = pattern(
    r"(?:tell|write|translate|explain|summari[sz]e|compare|guess|suggest|estimate|imagine|think"
    r"|compose|invent|recommend|calculate|transcribe|say|talk|describe|caption|teach|discuss"
    r"|analy[sz]e|continue|go on|repeat|answer)\b",
    r"(?:read|count|list|name|rate|judge) (?:the|all|every|this|these|each|some|what|how|it|out"
    r"|them|any|my|\w+s)\b",
    r"(?:give|make|tell) me (?:an?|some) |(?:give|tell) me the |make up |count$",
    r"(?:change|replace|turn|make|recolou?r|edit|swap|draw|insert|add|paint|put) (?:the|an?|it|its"
    r"|this|that|all|every|more|some|my|his|her)\b",
    r"(?:请|帮我)*(?:告诉|翻译|解释|总结|概括|列出|列举|猜|介绍|描述|说说|分析|比较|评价|说明(?!书)"
    r"|谈谈|继续|推荐|建议|数(?:一下|一数|数|出)|写(?:一|首|段|个|篇|出)|讲(?:一|个|讲|述)"
    r"|读(?:一|出)|给我[讲说写])",
)

STATEMENT: Final = pattern(
    r"(?:i|you|we|they|he|she|it|this|that|there|these|those)"
    r"(?:'s|'m|'re| is| are| am| was| were| have| has| had| do| did| don't| think| like| love| see"
    r"| looks?| feels?| know| hope| guess| wish) ",
    r"(?:我|你|您|他|她|它|这|那)(?:觉得|喜欢|认为|看起来|是|知道|希望)",
)

# What leans on an earlier turn, and what points at something drawn.
LEANS: Final = pattern(
    r"\b(?:it|its|one|ones|them|those|these|that one|the others?|the rest)\b|[它]|那[个只条辆位]"
    r"|这[个只条辆位]|另[一外]|其[他它余]|第.{1,3}[个只条辆位]",
    inside=True,
)
POINTS: Final = pattern(
    rf"\b(?:this|that|it|its|here|these|those|them)\b(?! {MEDIUM_NAMES}\b)"
    r"|[这那](?![张段幅副]?(?:图|照片|画面|视频|影片))|它",
    inside=True,
)
BESIDE: Final = pattern(  # something is a landmark for what is meant
    r"\b(?:of|to|with|behind|beside|near|on|in|inside|under|above|below|by|from|than|holding"
    r"|wearing|riding|around|at|between|for|against|over) (?:this|that|it|these|those|them|here)\b"
    r"|\bits\b|[这那它].{0,6}?[左右上下前后旁边里附中]",
    inside=True,
)
ORDINAL: Final = pattern(
    r"\bthe (?:first|second|third|fourth|fifth|sixth|last|other|left|right|\d+(?:st|nd|rd|th))"
    r" (?:one|object)\b|第[一二三四五六七八九十\d]+[个只条辆位]|另一[个只条辆位]",
    inside=True,
)
EXPLAIN: Final = pattern(
    r"[,;.!?]? (?:and |but |please |also )*(?:tell me |say |explain )?(?:why|the reason)\b.*$"
    r"|[,;.!?]? (?:and |please |also )*(?:explain|justify|give (?:a |the )?reasons?)\b.*$"
    r"|[,;。]?(?:并|请|同时|并且)*(?:解释|说明)(?:一下)?(?:原因|理由|为什么)?$|[,;](?:为什么|理由是什么)$",
    inside=True,
)
