"""One emotion, one colour, wherever it is shown."""

# Okabe and Ito's palette, which the colour-blind can tell apart, with grey in the place of black, which
# vanishes on a dark page. The grey is a light one: a middle grey is fear's pink to many eyes.
EMOTION_COLOURS = {
    "neutral": "#C4C4C4",
    "calm": "#56B4E9",
    "happy": "#F0E442",
    "sad": "#0072B2",
    "angry": "#D55E00",
    "fear": "#CC79A7",
    "disgust": "#009E73",
    "surprise": "#E69F00",
}
OTHER_COLOUR = "#8C6BB1"


def colour_of(emotion: str) -> str:
    """Hex colour of an emotion; names outside the project's own share one colour."""
    return EMOTION_COLOURS.get(emotion, OTHER_COLOUR)
