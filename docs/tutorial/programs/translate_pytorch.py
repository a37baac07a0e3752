# %% translate
import diptych
from diptych.plots import attention_map

config = {
    "name": "four-pairs",
    "model": {
        "embedding_size": 16,
        "encoder_size": 16,
        "decoder_size": 32,
    },
    "training": {
        "epochs": 80,
        "validate_every": 40,
        "learning_rate": 0.02,
        "precision": "float64",
    },
}
run = diptych.Run.create(
    config,
    "pytorch",
    pairs=PAIRS,
    validation=PAIRS,
    test=PAIRS,
)
diptych.train(run, backend="pytorch")
translator = diptych.load(run, backend="pytorch")
[translation] = translator.translate(["I feel hungry"])
print(translation.text)
print(f"log-probability {translation.log_probability:.6f}")

# %% plot
attention_map(
    translation.source_tokens,
    translation.tokens,
    translation.attention,
    "pytorch.png",
)
print("drawn with a Korean font that comes with Diptych")

# %% stock
from matplotlib import font_manager
from matplotlib.figure import Figure

figure = Figure(figsize=(3, 2.5))
axes = figure.subplots()
axes.matshow(translation.attention, cmap="Blues", vmin=0.0, vmax=1.0)
axes.set_xticks(range(3), translation.source_tokens)
axes.set_yticks(range(len(translation.tokens)), translation.tokens)
family = axes.get_yticklabels()[0].get_fontfamily()
path = font_manager.findfont(font_manager.FontProperties(family=family))
has_hangul = ord("가") in font_manager.get_font(path).get_charmap()
print("Matplotlib's own font has Hangul:", has_hangul)
