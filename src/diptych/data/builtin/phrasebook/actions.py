"""What is done in the phrasebook, to what, where and how.

A sentence makes sense because every action lists the objects and the places that go with it.
"""

from __future__ import annotations

from typing import NamedTuple

from diptych.data.builtin.phrasebook.nouns import Noun, nouns, phrases, table


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
# English forms (and tail) | Korean | objects (nouns, or groups) | places | flags:
# a: adults only, c: objects may be counted, g: one goes somewhere for it, w: one can ask "what", p: of things not yet
# there, so neither "this" nor "the", x: nor adjectives, m: somebody may join in
ACTIONS_TABLE = """
eat eats ate eating | 먹다 | =food =meal | home restaurant school | cgwm
drink drinks drank drinking | 마시다 | =drink | home restaurant cafe office | cgwm
buy buys bought buying | 사다 | =drink =wear =thing | market store | cgwm
sell sells sold selling | 팔다 | apple,orange,egg,potato,cake,bread,fruit,hat,shoes,flower,gift | market store | acw
read reads read reading | 읽다 | book,novel,magazine,letter,email | library home cafe school | cgw
write writes wrote writing | 쓰다 | letter,email,novel | home library office cafe | cwpx
watch watches watched watching | 보다 | movie,the news,soccer,baseball | home hotel | cwm
listen listens listened listening to | 듣다 | music,the radio,song,the news | home room cafe park | gwm
study studies studied studying | 공부하다 | Korean,English,history,math | library school home cafe | gwm
teach teaches taught teaching | 가르치다 | Korean,English,history,math,music | school Korea America | aw
learn learns learned learning | 배우다 | Korean,English,the piano,the guitar,tennis | school Korea America | gwm
make makes made making | 만들다 | kimchi,bread,cake,noodles,chair,box | home kitchen school | cwm
bake bakes baked baking | 굽다 | bread,cake,potato,meat | home kitchen restaurant | w
cut cuts cut cutting | 자르다 | bread,cake,apple,meat | home kitchen restaurant | w
wash washes washed washing | 씻다 | apple,fruit,cup,potato | home kitchen restaurant | w
clean cleans cleaned cleaning | 청소하다 | room,the kitchen,the classroom,house |  | m
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
play plays played playing | 하다 | soccer,basketball,baseball | park school gym | gm
play plays played playing | 치다 | the piano,the guitar | home school | m
play plays played playing | 치다 | tennis | park school gym | gm
take takes took taking | 찍다 | picture | park school Seoul Busan | cgpxm
sing sings sang singing | 부르다 | song | home school park | cm
open opens opened opening | 열다 | the window,the door,box,bag | home school office |
close closes closed closing | 닫다 | the window,the door | home school office |
look looks looked looking for | 찾다 | key,bag,umbrella,book,cat,camera | home park school station | w
borrow borrows borrowed borrowing | 빌리다 | book,magazine,novel,umbrella | library school | cgw
drive drives drove driving | 운전하다 | car,bus,taxi | Seoul Busan Korea | aw
build builds built building | 짓다 | house,school | Seoul Busan Korea | apxm
draw draws drew drawing | 그리다 | flower,cat,dog,bird,house | home school park | w
sleep sleeps slept sleeping | 자다 |  | home room hotel school | g
rest rests rested resting | 쉬다 |  | home park hotel room | gm
work works worked working | 일하다 |  | office bank hospital restaurant store | agm
swim swims swam swimming | 수영하다 |  | pool Busan hotel | gm
walk walks walked walking | 걷다 |  | park school Seoul | m
dance dances danced dancing | 춤을 추다 |  | home school park | m
cook cooks cooked cooking | 요리하다 |  | home kitchen restaurant | m
"""


def verb(english: str, korean: str) -> Verb:
    base, third, past, ing, *tail = english.split()
    return Verb(base, third, past=past, ing=ing, tail=" ".join(tail), korean=korean)


ACTIONS = [
    Action(verb(english, korean), objects=nouns(objects), places=tuple(places.split()), flags=flags)
    for english, korean, objects, places, flags in table(ACTIONS_TABLE)
]
GO, COME = verb("go goes went going", "가다"), verb("come comes came coming", "오다")
ARRIVE, LIVE = verb("arrive arrives arrived arriving", "도착하다"), verb("live lives lived living", "살다")
BECOME = verb("become becomes became becoming", "되다")
LIKE, DISLIKE = verb("like likes liked liking", "좋아하다"), verb("dislike dislikes disliked disliking", "싫어하다")
KNOW, NEED = verb("know knows knew knowing", "알다"), verb("need needs needed needing", "필요하다")
HAVE = verb("have has had having", "있다")
FEEL = ("feel", "feels", "felt", "feeling")
GIVE, SHOW = verb("give gives gave giving", "주다"), verb("show shows showed showing", "보여주다")
SEND = verb("send sends sent sending", "보내다")
FEELINGS = phrases(
    "hungry=배가 고프다, full=배가 부르다, thirsty=목이 마르다, sick=몸이 아프다, good=기분이 좋다, "
    "bad=기분이 나쁘다, tired=피곤하다, happy=행복하다, sad=슬프다, cold=춥다, hot=덥다, scared=무섭다, "
    "lonely=외롭다"
)
COMPANIONS = phrases(
    "with Minsu=민수, with Yuna=유나, with Jiho=지호, with a friend=친구, with the teacher=선생님, "
    "with my mother=우리 어머니, with my younger brother=제 남동생"
)
VEHICLES = phrases(
    "by bus=버스로, by train=기차로, by taxi=택시로, by subway=지하철로, by bicycle=자전거로, on foot=걸어서"
)
LONG_DISTANCE = {
    **dict.fromkeys(["Seoul", "Busan"], VEHICLES[:3]),
    **dict.fromkeys(["Korea", "Japan", "America"], phrases("by airplane=비행기로, by ship=배로")),
}
# Instruments by the English verb they go with, and by what is eaten.
INSTRUMENTS = {
    "cut": phrases("with a knife=칼로"),
    "write": phrases("with a pencil=연필로, with a pen=펜으로"),
    "draw": phrases("with a pencil=연필로, with a pen=펜으로"),
    "eat rice": phrases("with a spoon=숟가락으로"),
    "eat noodles": phrases("with chopsticks=젓가락으로"),
    "eat kimchi": phrases("with chopsticks=젓가락으로"),
    "eat meat": phrases("with chopsticks=젓가락으로"),
    "eat cake": phrases("with a spoon=숟가락으로"),
}
COUNTRIES = phrases("Korea=한국, Japan=일본, America=미국, China=중국, France=프랑스, Germany=독일")
CITIES = phrases("Seoul=서울, Busan=부산, Daegu=대구, Incheon=인천, Jeju=제주")
SPOTS = phrases("on=위에, under=아래에, next to=옆에, in front of=앞에, behind=뒤에")
