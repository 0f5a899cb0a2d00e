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


def ink_on(emotion: str) -> str:
    """Black or white, whichever is read more easily on the colour of an emotion."""
    colour = colour_of(emotion)
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#000000" if luminance > 0.179 else "#FFFFFF"  # where contrast with both is the same
