"""What the tab About says."""

SECTIONS = {
    "What it infers, and where it must not be used": [
        "It infers the emotion that a voice expresses, as actors expressed it when they were told to: not what a "
        "person feels, thinks or intends.",
        "Tell people before you use it on them, and that a machine infers an emotion from their voice: European Union "
        "law (AI Act, article 50) asks for it. Record other people only with their consent.",
        "At work and in education inferring emotions is prohibited there (article 5), except for medical or safety "
        "reasons. Where it is allowed, such systems are high-risk and have duties of their own.",
        "Do not use it for decisions about people: not in hiring, school, insurance, health, credit, policing or "
        "border control. It diagnoses nothing.",
    ],
    "Limits": [
        "It was trained on actors who were told which emotion to act. Real emotions sound different, or leave no "
        "trace in a voice: people who judge the voices of one corpus (CREMA-D) agree with the acted emotion on 4 "
        "clips of 10.",
        "It was trained on adults who speak English in North America and Britain. Other languages, cultures, ages, "
        "accents and voice disorders were not measured.",
        "It gives no emotion where it finds no speech, and calls a prediction unsure below a confidence from which on "
        "three of four predictions were right on validation speakers. Both can be wrong.",
        "A checkpoint is a trained model with its settings; its figures are accuracy and UAR, the mean recall of the "
        "emotions, which counts rare ones as much as frequent ones.",
        "The figures below were measured on clips of the same corpora. Under the protocol “speaker” nothing of a test "
        "speaker was trained on; under “random” it was, and the figures are too high.",
    ],
    "What is stored": [
        "Clips are analysed by the machine that serves this page and sent nowhere else. Nobody listens to them, and "
        "no model is trained on them. Uploads and recordings lie in a temporary folder and are deleted within an "
        "hour, or when the server stops. Live audio is written to a file only if you open it in the workbench. "
        "A voice profile is kept in your browser until you forget it. There are no tracking cookies and no analytics.",
    ],
    "Origin and licences": [
        "The code is under the Apache License 2.0. The speech gate is the network of silero-vad (MIT), "
        "the workbench stands on wavesurfer.js (BSD-3-Clause).",
        "The training data are recordings of actors: RAVDESS, CREMA-D, TESS and SAVEE. A model's weights inherit "
        "their terms: the table below has the licence, the model card the corpora, their origin and the pretrained "
        "encoder. Most of these corpora forbid commercial use.",
        "The examples are clips of one actor of EmoDB, the Berlin Database of Emotional Speech (CC BY 4.0). No "
        "recording of a training corpus is shipped.",
    ],
}
QUESTIONS = {
    "Why do I always get the same emotion?": (
        "Speak a whole sentence of two to five seconds, close to the microphone. A peak between -30 and -3 dB, given "
        "under “How was this measured?”, is good. This page turns the browser's gain control off, which levels loud "
        "and quiet speech; your system may have its own. Voices unlike those in the training data are often misjudged: "
        "a voice profile, made on the tab My voice, can help."
    ),
    "Which label belongs to which output?": (
        "The table of label indices below has the order for each model; it is also in the model's config.json."
    ),
    "Can it predict live?": (
        "Yes, on the tab Live, from 1.5 seconds of speech on. Silence is shown as silence; the last utterance's "
        "emotion stays until the next one."
    ),
    "Why does it find no speech, or call a prediction unsure?": (
        "A network for voice activity looks for speech first: noise, hum and tones have none, and far or very noisy "
        "voices may be missed. Of two emotions that are about as probable, neither is worth much."
    ),
    "Can I analyse a recording that is an hour long?": (
        "Yes, on the tab Recording, or with python -m ser_model timeline FILE."
    ),
    "How reliable is the confidence?": (
        "On clips like those of the test, the calibration error beside the predicted emotion tells; on other clips it "
        "is unknown. Below each prediction stands how many test predictions of about the same confidence were right, "
        "or, where a model's report does not say, its precision for that emotion."
    ),
}
