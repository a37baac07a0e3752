"""The phrasebook's words: who does what to what, where and when, in both languages.

Tables are text, one entry a line, columns separated by "|". A sentence makes sense because every action lists the
objects and the places that go with it, and every adjective the group of nouns it describes.
"""

from __future__ import annotations

from typing import NamedTuple


class Noun(NamedTuple):
    """A noun: `plural` is empty where English does not count it; `measure` is what it is counted by there."""

    singular: str
    plural: str
    korean: str
    counter: str
    measure: str
    group: str


class Subject(NamedTuple):
    """Who acts: in English "first", "singular" or "plural", in Korean "self", "other" or "honoured"."""

    english: str
    form: str
    korean: str
    speaker: str


class Verb(NamedTuple):
    """An English verb's four forms and the words that follow it at once ("listen to"), with its Korean phrase."""

    base: str
    third: str
    past: str
    ing: str
    tail: str
    korean: str


class Action(NamedTuple):
    """A verb with the objects and the places that go with it."""

    verb: Verb
    objects: tuple[Noun, ...]
    places: tuple[str, ...]
    flags: str


def table(text: str) -> list[list[str]]:
    """The cells of a table, stripped."""
    return [[cell.strip() for cell in line.split("|")] for line in text.strip().split("\n")]


def phrases(text: str) -> list[tuple[str, str]]:
    """A two-column table: English and Korean."""
    return [(english, korean) for english, korean in table(text)]


SUBJECTS = [
    Subject(*row)
    for row in table("""
I                  | first    | 저         | self
we                 | plural   | 우리       | self
Minsu              | singular | 민수       | other
Yuna               | singular | 유나       | other
Jiho               | singular | 지호       | other
the student        | singular | 학생       | other
the doctor         | singular | 의사       | other
my friend          | singular | 제 친구    | other
my younger brother | singular | 제 남동생  | other
my younger sister  | singular | 제 여동생  | other
the child          | singular | 아이       | other
the students       | plural   | 학생들     | other
the children       | plural   | 아이들     | other
the teacher        | singular | 선생님     | honoured
my mother          | singular | 우리 어머니 | honoured
my father          | singular | 우리 아버지 | honoured
my grandmother     | singular | 우리 할머니 | honoured
my grandfather     | singular | 우리 할아버지 | honoured
""")
]
PUPILS = {"the student", "the students", "the child", "the children"}
YOU = Subject("you", "plural", "", "you")

# Singular | plural | Korean | counter | what it is measured by (-s: one of two or more) | group
NOUNS = {
    row[0]: Noun(*row)
    for row in table("""
apple      | apples      | 사과     | 개   |            | food
orange     | oranges     | 오렌지   | 개   |            | food
egg        | eggs        | 계란     | 개   |            | food
potato     | potatoes    | 감자     | 개   |            | food
cake       | cakes       | 케이크   | 개   |            | meal
bread      |             | 빵       |      |            | meal
kimchi     |             | 김치     |      |            | meal
meat       |             | 고기     |      |            | food
fruit      |             | 과일     |      |            | food
rice       |             | 밥       | 그릇 | bowl of    | meal
noodles    |             | 국수     | 그릇 | bowl of    | meal
water      |             | 물       | 병   | bottle of  | drink
milk       |             | 우유     | 잔   | cup of     | drink
coffee     |             | 커피     | 잔   | cup of     | drink
tea        |             | 차       | 잔   | cup of     | drink
juice      |             | 주스     | 병   | bottle of  | drink
book       | books       | 책       | 권   |            | text
novel      | novels      | 소설     | 권   |            | text
magazine   | magazines   | 잡지     | 권   |            | text
letter     | letters     | 편지     | 통   |            | text
email      | emails      | 이메일   | 통   |            | text
movie      | movies      | 영화     | 편   |            | title
song       | songs       | 노래     | 곡   |            | title
hat        | hats        | 모자     | 개   |            | wear
shirt      | shirts      | 셔츠     | 벌   |            | wear
coat       | coats       | 코트     | 벌   |            | wear
skirt      | skirts      | 치마     | 벌   |            | wear
shoes      |             | 신발     | 켤레 | pair of    | wear
socks      |             | 양말     | 켤레 | pair of    | wear
bag        | bags        | 가방     | 개   |            | thing
umbrella   | umbrellas   | 우산     | 개   |            | thing
watch      | watches     | 시계     | 개   |            | thing
cup        | cups        | 컵       | 개   |            | thing
box        | boxes       | 상자     | 개   |            | thing
ball       | balls       | 공       | 개   |            | thing
pen        | pens        | 펜       | 개   |            | thing
pencil     | pencils     | 연필     | 자루 |            | thing
key        | keys        | 열쇠     | 개   |            | thing
gift       | gifts       | 선물     | 개   |            | thing
computer   | computers   | 컴퓨터   | 대   |            | thing
camera     | cameras     | 카메라   | 대   |            | thing
chair      | chairs      | 의자     | 개   |            | thing
picture    | pictures    | 사진     | 장   |            | paper
ticket     | tickets     | 표       | 장   |            | paper
flower     | flowers     | 꽃       | 송이 |            | flower
car        | cars        | 자동차   | 대   |            | vehicle
bicycle    | bicycles    | 자전거   | 대   |            | vehicle
bus        | buses       | 버스     | 대   |            | transport
train      | trains      | 기차     |      |            | transport
taxi       | taxis       | 택시     | 대   |            | transport
dog        | dogs        | 개       | 마리 |            | animal
cat        | cats        | 고양이   | 마리 |            | animal
bird       | birds       | 새       | 마리 |            | animal
rabbit     | rabbits     | 토끼     | 마리 |            | animal
student    | students    | 학생     | 명   |            | person
child      | children    | 아이     | 명   |            | person
friend     | friends     | 친구     | 명   |            | person
house      | houses      | 집       |      |            | place
room       | rooms       | 방       |      |            | place
school     | schools     | 학교     |      |            | place
restaurant | restaurants | 식당     |      |            | place
word       | words       | 단어     | 개   |            | word
question   | questions   | 질문     | 개   |            | word
Korean     |             | 한국어   |      |            | fixed
English    |             | 영어     |      |            | fixed
history    |             | 역사     |      |            | fixed
math       |             | 수학     |      |            | fixed
music      |             | 음악     |      |            | fixed
soccer     |             | 축구     |      |            | fixed
basketball |             | 농구     |      |            | fixed
baseball   |             | 야구     |      |            | fixed
tennis     |             | 테니스   |      |            | fixed
the piano  |             | 피아노   |      |            | fixed
the guitar |             | 기타     |      |            | fixed
the radio  |             | 라디오   |      |            | fixed
the news   |             | 뉴스     |      |            | fixed
the window |             | 창문     |      |            | fixed
the door   |             | 문       |      |            | fixed
the kitchen |            | 부엌     |      |            | fixed
the classroom |          | 교실     |      |            | fixed
spring     |             | 봄       |      |            | fixed
summer     |             | 여름     |      |            | fixed
winter     |             | 겨울     |      |            | fixed
money      |             | 돈       |      |            | fixed
time       |             | 시간     |      |            | fixed
Yuna       |             | 유나     |      |            | name
Minsu      |             | 민수     |      |            | name
Jiho       |             | 지호     |      |            | name
""")
}

# Before a noun only | before it and as a predicate (English, Korean), by group.
ATTRIBUTES = {
    "wear": phrases("red|빨간\nblue|파란\nwhite|하얀\nblack|까만\nnew|새"),
    "thing": phrases("red|빨간\nblue|파란\nwhite|하얀\nblack|까만\nnew|새"),
    "vehicle": phrases("red|빨간\nblue|파란\nwhite|하얀\nblack|까만\nnew|새"),
    "animal": phrases("white|하얀\nblack|까만"),
    "flower": phrases("red|빨간\nwhite|하얀"),
    "text": phrases("new|새\nold|오래된"),
    "paper": phrases("new|새\nold|오래된"),
    "place": phrases("new|새\nold|오래된"),
}
ADJECTIVES = {
    "food": phrases("delicious|맛있다\nexpensive|비싸다\ncheap|싸다\nfresh|신선하다"),
    "meal": phrases("delicious|맛있다\nexpensive|비싸다\ncheap|싸다"),
    "drink": phrases("delicious|맛있다\ncold|차갑다\nhot|뜨겁다"),
    "title": phrases("interesting|재미있다\nlong|길다\nshort|짧다"),
    "text": phrases("interesting|재미있다\ndifficult|어렵다\neasy|쉽다\nlong|길다\nshort|짧다"),
    "wear": phrases("pretty|예쁘다\nexpensive|비싸다\ncheap|싸다\nwarm|따뜻하다"),
    "thing": phrases("big|크다\nsmall|작다\nheavy|무겁다\nlight|가볍다\nexpensive|비싸다\ncheap|싸다\npretty|예쁘다"),
    "flower": phrases("pretty|예쁘다\nbig|크다\nsmall|작다"),
    "vehicle": phrases("fast|빠르다\nexpensive|비싸다\ncheap|싸다\nbig|크다"),
    "animal": phrases("big|크다\nsmall|작다\ncute|귀엽다"),
    "person": phrases("kind|친절하다\ntall|키가 크다"),
    "place": phrases("big|크다\nsmall|작다\nquiet|조용하다\nclean|깨끗하다"),
    "word": phrases("difficult|어렵다\neasy|쉽다\nlong|길다\nshort|짧다"),
}
DEGREES = phrases("very|아주\nreally|정말\na little|조금")

# Name | where something is done | where one goes | Korean
PLACES = {
    row[0]: (row[1], row[2], row[3])
    for row in table("""
home       | at home              | home                    | 집
school     | at school            | to school               | 학교
market     | at the market        | to the market           | 시장
store      | at the store         | to the store            | 가게
office     | at the office        | to the office           | 회사
library    | at the library       | to the library          | 도서관
bookstore  | at the bookstore     | to the bookstore        | 서점
restaurant | at the restaurant    | to the restaurant       | 식당
cafe       | at the cafe          | to the cafe             | 카페
hospital   | at the hospital      | to the hospital         | 병원
bank       | at the bank          | to the bank             | 은행
station    | at the station       | to the station          | 역
airport    | at the airport       | to the airport          | 공항
hotel      | at the hotel         | to the hotel            | 호텔
pool       | at the pool          | to the pool             | 수영장
gym        | at the gym           | to the gym              | 체육관
park       | in the park          | to the park             | 공원
kitchen    | in the kitchen       | to the kitchen          | 부엌
room       | in the room          | to the room             | 방
classroom  | in the classroom     | to the classroom        | 교실
Seoul      | in Seoul             | to Seoul                | 서울
Busan      | in Busan             | to Busan                | 부산
Korea      | in Korea             | to Korea                | 한국
Japan      | in Japan             | to Japan                | 일본
America    | in America           | to America              | 미국
""")
}

# English forms (and tail) | Korean | objects (a group, or nouns) | places | flags: a: adults only, c: objects may be
# counted, g: one goes somewhere for it, w: one can ask "what", p: of things not yet there, so neither "this" nor "the", x: nor adjectives
ACTIONS_TABLE = """
eat eats ate eating | 먹다 | =food =meal | home restaurant cafe school | cgw
drink drinks drank drinking | 마시다 | =drink | home restaurant cafe office | cgw
buy buys bought buying | 사다 | =drink =wear =thing | market store | cgw
sell sells sold selling | 팔다 | apple,orange,egg,potato,cake,bread,fruit,hat,shoes,socks,flower,gift,watch | market store | acw
read reads read reading | 읽다 | book,novel,magazine,letter,email | library home cafe school | cgw
write writes wrote writing | 쓰다 | letter,email,novel | home library office cafe | cwpx
watch watches watched watching | 보다 | movie,the news,soccer,baseball | home hotel | cw
listen listens listened listening to | 듣다 | music,the radio,song,the news | home room cafe park | gw
study studies studied studying | 공부하다 | Korean,English,history,math | library school home cafe | gw
teach teaches taught teaching | 가르치다 | Korean,English,history,math,music | school Korea America | aw
learn learns learned learning | 배우다 | Korean,English,the piano,the guitar,tennis | school Korea America | gw
make makes made making | 만들다 | kimchi,bread,cake,noodles,chair,box | home kitchen school | cw
bake bakes baked baking | 굽다 | bread,cake,potato,meat | home kitchen restaurant | w
cut cuts cut cutting | 자르다 | bread,cake,apple,meat | home kitchen restaurant | w
wash washes washed washing | 씻다 | apple,fruit,cup,potato | home kitchen restaurant | w
clean cleans cleaned cleaning | 청소하다 | room,the kitchen,the classroom,house |  |
wear wears wore wearing | 입다 | shirt,coat,skirt | home school office |
wear wears wore wearing | 쓰다 | hat | home school park |
wear wears wore wearing | 신다 | shoes,socks | home school park |
choose chooses chose choosing | 고르다 | hat,gift,cake,book,shoes,flower,watch | store market | gw
meet meets met meeting | 만나다 | friend,Yuna,Minsu,Jiho | park cafe school station airport | g
help helps helped helping | 돕다 | friend,Yuna,Minsu,Jiho,child | school home library hospital |
wait waits waited waiting for | 기다리다 | friend,Yuna,Jiho | station airport park cafe |
wait waits waited waiting for | 기다리다 | bus,taxi | station airport | w
ride rides rode riding | 타다 | bicycle | park Seoul Busan |
ride rides rode riding | 타다 | bus,train,taxi | Seoul Busan station airport |
play plays played playing | 하다 | soccer,basketball,baseball | park school gym | g
play plays played playing | 치다 | the piano,the guitar | home school |
play plays played playing | 치다 | tennis | park school gym | g
take takes took taking | 찍다 | picture | park school Seoul Busan | cgpx
sing sings sang singing | 부르다 | song | home school park | c
open opens opened opening | 열다 | the window,the door,box,bag | home school office |
close closes closed closing | 닫다 | the window,the door | home school office |
look looks looked looking for | 찾다 | key,bag,umbrella,book,cat,camera | home park school station | w
borrow borrows borrowed borrowing | 빌리다 | book,magazine,novel,umbrella | library school | cgw
drive drives drove driving | 운전하다 | car,bus,taxi | Seoul Busan Korea | aw
build builds built building | 짓다 | house,school | Seoul Busan Korea | apx
draw draws drew drawing | 그리다 | flower,cat,dog,bird,house | home school park | w
sleep sleeps slept sleeping | 자다 |  | home room hotel school | g
rest rests rested resting | 쉬다 |  | home park hotel room | g
work works worked working | 일하다 |  | office bank hospital restaurant store | ag
swim swims swam swimming | 수영하다 |  | pool Busan hotel | g
walk walks walked walking | 걷다 |  | park school Seoul |
dance dances danced dancing | 춤을 추다 |  | home school park |
cook cooks cooked cooking | 요리하다 |  | home kitchen restaurant |
"""


def _verb(english: str, korean: str) -> Verb:
    base, third, past, ing, *tail = english.split()
    return Verb(base, third, past, ing, " ".join(tail), korean)


def nouns(text: str) -> tuple[Noun, ...]:
    """The nouns of "book,the radio" or of the groups in "=food =drink"."""
    if text.startswith("="):
        groups = text.replace("=", "").split()
        return tuple(noun for noun in NOUNS.values() if noun.group in groups)
    return tuple(NOUNS[name] for name in text.split(",") if name)


ACTIONS = [
    Action(_verb(english, korean), nouns(objects), tuple(places.split()), flags)
    for english, korean, objects, places, flags in table(ACTIONS_TABLE)
]
GO, COME = _verb("go goes went going", "가다"), _verb("come comes came coming", "오다")
ARRIVE, LIVE = _verb("arrive arrives arrived arriving", "도착하다"), _verb("live lives lived living", "살다")
BECOME = _verb("become becomes became becoming", "되다")
LIKE, DISLIKE = _verb("like likes liked liking", "좋아하다"), _verb("dislike dislikes disliked disliking", "싫어하다")
KNOW, NEED = _verb("know knows knew knowing", "알다"), _verb("need needs needed needing", "필요하다")
HAVE = _verb("have has had having", "있다")
FEEL = ("feel", "feels", "felt", "feeling")
GIVE, SHOW = _verb("give gives gave giving", "주다"), _verb("show shows showed showing", "보여주다")
SEND = _verb("send sends sent sending", "보내다")

FEELINGS = phrases("""
hungry  | 배가 고프다
full    | 배가 부르다
thirsty | 목이 마르다
sick    | 몸이 아프다
good    | 기분이 좋다
bad     | 기분이 나쁘다
tired   | 피곤하다
happy   | 행복하다
sad     | 슬프다
cold    | 춥다
hot     | 덥다
scared  | 무섭다
lonely  | 외롭다
""".strip())

TIMES = {
    "present": phrases("every day|매일\nevery weekend|주말마다\nthese days|요즘\ntoday|오늘"),
    "present negative": phrases("these days|요즘\ntoday|오늘"),
    "past": phrases("yesterday|어제\nlast week|지난주에\nlast month|지난달에\non Monday|월요일에\non Sunday|일요일에"),
    "future": phrases("tomorrow|내일\nnext week|다음 주에\nthis weekend|이번 주말에\non Friday|금요일에\non Saturday|토요일에"),
    "progressive": phrases("now|지금"),
    "want": phrases("now|지금\ntoday|오늘\ntomorrow|내일\nthis weekend|이번 주말에"),
    "wanted": phrases("yesterday|어제\nlast week|지난주에\non Sunday|일요일에"),
    "can": phrases("today|오늘\ntomorrow|내일\nthis weekend|이번 주말에\non Wednesday|수요일에"),
}
DAYS = phrases("""
Monday|월요일
Tuesday|화요일
Wednesday|수요일
Thursday|목요일
Friday|금요일
Saturday|토요일
Sunday|일요일
""".strip())
FREQUENCIES = phrases("always|항상\noften|자주\nsometimes|가끔")
COMPANIONS = phrases("""
with Minsu|민수
with Yuna|유나
with Jiho|지호
with a friend|친구
with the teacher|선생님
with my mother|우리 어머니
with my younger brother|제 남동생
""".strip())
VEHICLES = phrases("by bus|버스로\nby train|기차로\nby taxi|택시로\nby subway|지하철로\nby bicycle|자전거로\non foot|걸어서")
LONG_DISTANCE = {
    **dict.fromkeys(["Seoul", "Busan"], VEHICLES[:3]),
    **dict.fromkeys(["Korea", "Japan", "America"], phrases("by airplane|비행기로\nby ship|배로")),
}
# Instruments by the English verb they go with.
INSTRUMENTS = {
    "eat": phrases("with chopsticks|젓가락으로\nwith a spoon|숟가락으로"),
    "cut": phrases("with a knife|칼로"),
    "write": phrases("with a pencil|연필로\nwith a pen|펜으로"),
    "draw": phrases("with a pencil|연필로\nwith a pen|펜으로"),
}
RECIPIENTS = phrases("""
Minsu|민수에게
Yuna|유나에게
Jiho|지호에게
a friend|친구에게
the student|학생에게
my younger sister|제 여동생에게
the teacher|선생님께
my mother|우리 어머니께
my grandmother|우리 할머니께
""".strip())

# One to twelve: as native numbers stand before a counter.
COUNTS = phrases("""
one|한
two|두
three|세
four|네
five|다섯
six|여섯
seven|일곱
eight|여덟
nine|아홉
ten|열
eleven|열한
twelve|열두
""".strip())
AGES = [*COUNTS[4:], *phrases("""
twenty|스무
thirty|서른
forty|마흔
""".strip())]
MINUTES = phrases("ten|십\nfifteen|십오\ntwenty|이십\nthirty|삼십\nforty|사십\nfifty|오십")
ORDINALS = phrases("""
first|일
second|이
third|삼
fourth|사
fifth|오
sixth|육
seventh|칠
eighth|팔
ninth|구
tenth|십
""".strip())
MONTHS = phrases("""
January|일월
February|이월
March|삼월
April|사월
May|오월
June|유월
July|칠월
August|팔월
September|구월
October|시월
November|십일월
December|십이월
""".strip())
PRICES = phrases("""
five hundred|오백
one thousand|천
two thousand|이천
three thousand|삼천
five thousand|오천
eight thousand|팔천
ten thousand|만
twelve thousand|만 이천
fifteen thousand|만 오천
twenty thousand|이만
thirty thousand|삼만
fifty thousand|오만
""".strip())
PROFESSIONS = phrases("""
a doctor|의사
a nurse|간호사
a singer|가수
a student|학생
a soldier|군인
a lawyer|변호사
a farmer|농부
a police officer|경찰관
""".strip())
COUNTRIES = phrases("Korea|한국\nJapan|일본\nAmerica|미국\nChina|중국\nFrance|프랑스\nGermany|독일")
CITIES = phrases("Seoul|서울\nBusan|부산\nDaegu|대구\nIncheon|인천\nJeju|제주")
EVENTS = phrases("exam|시험\nparty|파티\nmeeting|회의\nconcert|콘서트\nclass|수업\ngame|경기")
SPOTS = phrases("on|위에\nunder|아래에\nnext to|옆에\nin front of|앞에\nbehind|뒤에")

# What is done at a certain hour: English | Korean | hours | part of the day (English, Korean)
DAILY = [
    (_verb(english, korean), hours.split(), part, part_korean)
    for english, korean, hours, part, part_korean in table("""
get gets got getting up              | 일어나다     | five six seven eight   | in the morning | 아침
go goes went going to bed            | 자다         | nine ten eleven        | at night       | 밤
go goes went going to school         | 학교에 가다  | seven eight nine       | in the morning | 아침
go goes went going to work           | 회사에 가다  | seven eight nine       | in the morning | 아침
come comes came coming home          | 집에 오다    | five six seven eight   | in the evening | 저녁
eat eats ate eating breakfast        | 아침을 먹다  | seven eight nine       |                |
eat eats ate eating lunch            | 점심을 먹다  | eleven twelve one      |                |
eat eats ate eating dinner           | 저녁을 먹다  | five six seven eight   |                |
drink drinks drank drinking coffee   | 커피를 마시다 | two three four        | in the afternoon | 오후
meet meets met meeting a friend      | 친구를 만나다 | one two three four    | in the afternoon | 오후
""")
]
# What happens at a certain hour: who | in Korean | English base, third, past | Korean
SCHEDULE = [
    (things.split(","), _verb(f"{english} ", korean))
    for things, english, korean in table("""
the bus=버스,the train=기차,the airplane=비행기,the ship=배 | leave leaves left leaving      | 출발하다
the bus=버스,the train=기차,the airplane=비행기,the ship=배 | arrive arrives arrived arriving | 도착하다
the bank=은행,the store=가게,the library=도서관,the restaurant=식당 | open opens opened opening | 문을 열다
the bank=은행,the store=가게,the library=도서관,the restaurant=식당 | close closes closed closing | 문을 닫다
the exam=시험,the party=파티,the meeting=회의,the concert=콘서트,the class=수업,the game=경기 | start starts started starting | 시작하다
the exam=시험,the party=파티,the meeting=회의,the concert=콘서트,the class=수업,the game=경기 | end ends ended ending | 끝나다
""")
]
COMPARATIVES = {
    "thing": phrases("bigger|크다\nsmaller|작다\nheavier|무겁다\nlighter|가볍다\nmore expensive|비싸다\ncheaper|싸다"),
    "wear": phrases("prettier|예쁘다\nmore expensive|비싸다\ncheaper|싸다\nwarmer|따뜻하다"),
    "vehicle": phrases("faster|빠르다\nmore expensive|비싸다\ncheaper|싸다\nbigger|크다"),
    "transport": phrases("faster|빠르다\nbigger|크다"),
    "animal": phrases("bigger|크다\nsmaller|작다\ncuter|귀엽다"),
    "food": phrases("bigger|크다\nsmaller|작다\nmore expensive|비싸다\ncheaper|싸다\nmore delicious|맛있다"),
    "text": phrases("more interesting|재미있다\nmore difficult|어렵다\neasier|쉽다\nlonger|길다\nshorter|짧다"),
}
WEATHER = phrases("cold|날씨가 춥다\nhot|날씨가 덥다\nwarm|날씨가 따뜻하다\ncool|날씨가 시원하다\nclear|날씨가 맑다\ncloudy|날씨가 흐리다")
FALLING = [_verb("rain rains rained raining", "비가 오다"), _verb("snow snows snowed snowing", "눈이 오다")]
