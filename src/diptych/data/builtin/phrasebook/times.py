"""When things happen in the phrasebook, and its numbers: native before counters and hours, Chinese elsewhere."""

from __future__ import annotations

from diptych.data.builtin.phrasebook.actions import verb
from diptych.data.builtin.phrasebook.nouns import phrases, table

TIMES = {
    "present": phrases("every day=매일, every weekend=주말마다, these days=요즘, today=오늘"),
    "present negative": phrases("these days=요즘, today=오늘"),
    "past": phrases("yesterday=어제, last week=지난주에, last month=지난달에, on Monday=월요일에, on Sunday=일요일에"),
    "future": phrases(
        "tomorrow=내일, next week=다음 주에, this weekend=이번 주말에, on Friday=금요일에, on Saturday=토요일에"
    ),
    "progressive": phrases("now=지금"),
    "now": phrases("now=지금, today=오늘"),
    "want": phrases("now=지금, today=오늘, tomorrow=내일, this weekend=이번 주말에"),
    "wanted": phrases("yesterday=어제, last week=지난주에, on Sunday=일요일에"),
    "can": phrases("today=오늘, tomorrow=내일, this weekend=이번 주말에, on Wednesday=수요일에"),
}
# The times that go with an hour of the day.
ON_WHICH_DAY = {
    "present": phrases("every day=매일"),
    "past": phrases("yesterday=어제, on Monday=월요일에, on Sunday=일요일에"),
    "future": phrases("tomorrow=내일, on Friday=금요일에, on Saturday=토요일에"),
    "want": phrases("today=오늘, tomorrow=내일"),
}
DAYS = phrases(
    "Monday=월요일, Tuesday=화요일, Wednesday=수요일, Thursday=목요일, Friday=금요일, Saturday=토요일, Sunday=일요일"
)
FREQUENCIES = phrases("always=항상, often=자주, sometimes=가끔")
# One to twelve: as native numbers stand before a counter.
COUNTS = phrases(
    "one=한, two=두, three=세, four=네, five=다섯, six=여섯, seven=일곱, eight=여덟, nine=아홉, ten=열, "
    "eleven=열한, twelve=열두"
)
AGES = [*COUNTS[4:], *phrases("twenty=스무, thirty=서른, forty=마흔")]
MINUTES = phrases("ten=십, fifteen=십오, twenty=이십, thirty=삼십, forty=사십, fifty=오십")
ORDINALS = phrases(
    "first=일, second=이, third=삼, fourth=사, fifth=오, sixth=육, seventh=칠, eighth=팔, ninth=구, tenth=십"
)
MONTHS = phrases(
    "January=일월, February=이월, March=삼월, April=사월, May=오월, June=유월, July=칠월, August=팔월, "
    "September=구월, October=시월, November=십일월, December=십이월"
)
PRICES = phrases(
    "five hundred=오백, one thousand=천, two thousand=이천, three thousand=삼천, five thousand=오천, "
    "eight thousand=팔천, ten thousand=만, twelve thousand=만 이천, fifteen thousand=만 오천, "
    "twenty thousand=이만, thirty thousand=삼만, fifty thousand=오만"
)
# What is done at a certain hour: English | Korean | hours | part of the day (English, Korean)
DAILY = [
    (verb(english, korean), hours.split(), part, part_korean)
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
EVENTS = phrases("exam=시험, party=파티, meeting=회의, concert=콘서트, class=수업, game=경기")
_CARRIERS = phrases("the bus=버스, the train=기차, the airplane=비행기, the ship=배")
_SHOPS = phrases("the bank=은행, the store=가게, the library=도서관, the restaurant=식당")
_EVENTS = [(f"the {english}", korean) for english, korean in EVENTS]
# What happens at a certain hour, and to what.
SCHEDULE = [
    (verb("leave leaves left leaving", "출발하다"), _CARRIERS),
    (verb("arrive arrives arrived arriving", "도착하다"), _CARRIERS),
    (verb("open opens opened opening", "문을 열다"), _SHOPS),
    (verb("close closes closed closing", "문을 닫다"), _SHOPS),
    (verb("start starts started starting", "시작하다"), _EVENTS),
    (verb("end ends ended ending", "끝나다"), _EVENTS),
]
WEATHER = phrases(
    "cold=날씨가 춥다, hot=날씨가 덥다, warm=날씨가 따뜻하다, cool=날씨가 시원하다, clear=날씨가 맑다, "
    "cloudy=날씨가 흐리다"
)
FALLING = [verb("rain rains rained raining", "비가 오다"), verb("snow snows snowed snowing", "눈이 오다")]
