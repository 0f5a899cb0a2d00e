"""What the tab About says."""

LIMITS = [
    "Do not use it for decisions about people: not in hiring, school, insurance, health, credit, policing or border "
    "control. European Union law forbids inferring emotions at work and at school, with few exceptions.",
    "It was trained on actors who were told which emotion to act. Real emotions sound different, or cannot be heard at "
    "all: people who judge the voices of one corpus (CREMA-D) agree with the acted emotion on 4 clips of 10.",
    "It was trained on adults who speak English in North America and Britain. Other languages, cultures, ages, "
    "accents, voice disorders, poor microphones and noisy rooms were not measured.",
]
PRIVACY = [
    "Clips are analysed by the machine that serves this page and sent nowhere else. Nobody listens to them, and no "
    "model is trained on them. Uploads and recordings lie in a temporary folder and are deleted within an hour, or "
    "when the server stops. Live audio is never written to a file. A voice profile is kept in your browser until you "
    "forget it. There are no tracking cookies and no analytics.",
    "Record other people only with their consent.",
]
LICENCES = [
    "The code is under the Apache License 2.0. A model's weights inherit the terms of the corpora it was trained on: "
    "the table below has their licence, the model card the corpora. Most of these corpora forbid commercial use.",
    "The synthetic examples were made with espeak-ng and are free to use. No recording of a corpus is shipped.",
]
QUESTIONS = {
    "Why do I always get the same emotion?": (
        "Speak a whole sentence of two to five seconds, close to the microphone. A peak between -20 and -3 dB, shown "
        "below the predicted emotion, is good. This page turns the browser's gain control off, which levels loud and "
        "quiet speech; your system may have its own. Voices unlike those in the training data are often misjudged: "
        "a voice profile, made on the tab My voice, can help."
    ),
    "Which label belongs to which output?": (
        "The table of label indices below has the order for each model; it is also in the model's config.json."
    ),
    "Can it predict live?": "Yes, on the tab Live; silence is shown as silence.",
    "Can I analyse a recording that is an hour long?": (
        "Yes, on the tab Recording, or with python -m ser_model timeline FILE."
    ),
    "How reliable is the confidence?": (
        "On clips like those of the test, the calibration error beside the predicted emotion tells; on other clips it "
        "is unknown. Below each prediction stands the precision of the model for that emotion."
    ),
}
