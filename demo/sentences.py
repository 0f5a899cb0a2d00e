"""Sentences to read whose words carry no emotion."""

SENTENCES = (
    "The bus to the station leaves at ten past four.",
    "I put the keys on the table next to the lamp.",
    "We need bread, milk and a bag of apples.",
    "My sister is painting the kitchen on Saturday.",
    "The letter came this morning, but nobody opened it.",
    "They moved the meeting to the room upstairs.",
    "There is a dog in the garden across the street.",
    "I will call you when the train arrives.",
    "The blue chair is still standing in the hallway.",
    "Somebody left the window open last night.",
)
