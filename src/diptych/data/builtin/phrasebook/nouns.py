"""Who and what the phrasebook speaks of, in both languages, and what can be said of it."""

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


def table(text: str) -> list[list[str]]:
    """The cells of a table, stripped."""
    return [[cell.strip() for cell in line.split("|")] for line in text.strip().split("\n")]


def phrases(text: str) -> list[tuple[str, str]]:
    """Pairs of English and Korean from "today=오늘, yesterday=어제"."""
    entries = (entry.split("=") for entry in text.split(", "))
    return [(english, korean) for english, korean in entries]


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
YOU = Subject("you", form="plural", korean="", speaker="you")
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


def nouns(text: str) -> tuple[Noun, ...]:
    """The nouns of "book,the radio" or of the groups in "=food =drink"."""
    if text.startswith("="):
        groups = text.replace("=", "").split()
        return tuple(noun for noun in NOUNS.values() if noun.group in groups)
    return tuple(NOUNS[name] for name in text.split(",") if name)


# Before a noun only | before it and as a predicate (English, Korean), by group.
ATTRIBUTES = {
    "wear": phrases("red=빨간, blue=파란, white=하얀, black=까만, new=새"),
    "thing": phrases("red=빨간, blue=파란, white=하얀, black=까만, new=새"),
    "vehicle": phrases("red=빨간, blue=파란, white=하얀, black=까만, new=새"),
    "animal": phrases("white=하얀, black=까만"),
    "flower": phrases("red=빨간, white=하얀"),
    "text": phrases("new=새, old=오래된"),
    "paper": phrases("new=새, old=오래된"),
    "place": phrases("new=새, old=오래된"),
}
ADJECTIVES = {
    "food": phrases("delicious=맛있다, expensive=비싸다, cheap=싸다, fresh=신선하다"),
    "meal": phrases("delicious=맛있다, expensive=비싸다, cheap=싸다"),
    "drink": phrases("delicious=맛있다, cold=차갑다, hot=뜨겁다"),
    "title": phrases("interesting=재미있다, long=길다, short=짧다"),
    "text": phrases("interesting=재미있다, difficult=어렵다, easy=쉽다, long=길다, short=짧다"),
    "wear": phrases("pretty=예쁘다, expensive=비싸다, cheap=싸다, warm=따뜻하다"),
    "thing": phrases("big=크다, small=작다, heavy=무겁다, light=가볍다, expensive=비싸다, cheap=싸다, pretty=예쁘다"),
    "flower": phrases("pretty=예쁘다, big=크다, small=작다"),
    "vehicle": phrases("fast=빠르다, expensive=비싸다, cheap=싸다, big=크다"),
    "animal": phrases("big=크다, small=작다, cute=귀엽다"),
    "person": phrases("kind=친절하다, tall=키가 크다"),
    "place": phrases("big=크다, small=작다, quiet=조용하다, clean=깨끗하다"),
    "word": phrases("difficult=어렵다, easy=쉽다, long=길다, short=짧다"),
}
COMPARATIVES = {
    "thing": phrases("bigger=크다, smaller=작다, heavier=무겁다, lighter=가볍다, more expensive=비싸다, cheaper=싸다"),
    "wear": phrases("prettier=예쁘다, more expensive=비싸다, cheaper=싸다, warmer=따뜻하다"),
    "vehicle": phrases("faster=빠르다, more expensive=비싸다, cheaper=싸다, bigger=크다"),
    "transport": phrases("faster=빠르다, bigger=크다"),
    "animal": phrases("bigger=크다, smaller=작다, cuter=귀엽다"),
    "food": phrases("bigger=크다, smaller=작다, more expensive=비싸다, cheaper=싸다, more delicious=맛있다"),
    "text": phrases("more interesting=재미있다, more difficult=어렵다, easier=쉽다, longer=길다, shorter=짧다"),
}
DEGREES = phrases("very=아주, really=정말, a little=조금")
PROFESSIONS = phrases(
    "a doctor=의사, a nurse=간호사, a singer=가수, a student=학생, a soldier=군인, a lawyer=변호사, "
    "a farmer=농부, a police officer=경찰관"
)
RECIPIENTS = phrases(
    "Minsu=민수에게, Yuna=유나에게, Jiho=지호에게, a friend=친구에게, the student=학생에게, "
    "my younger sister=제 여동생에게, the teacher=선생님께, my mother=우리 어머니께, "
    "my grandmother=우리 할머니께"
)
