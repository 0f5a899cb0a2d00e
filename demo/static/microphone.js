// The microphone, whoever asks for it: untouched sound, a level meter while a clip is recorded, and help where it is denied.
(() => {
  const HELP = {
    NotAllowedError: "The microphone is blocked for this page. Allow it with the icon beside the page's address, then try again. Uploading a clip works without it.",
    NotFoundError: "No microphone was found. Connect one and try again, or upload a clip.",
    NotReadableError: "Another program uses the microphone. Close it and try again, or upload a clip.",
    Gone: "The microphone is no longer there. Connect it and start again.",
    InsecureContext: "Browsers give the microphone only to pages with https, and to this machine's own. Uploading a clip works.",
  };
  const SECONDS = 0.05, MOST = 160; // between two bars of the meter, and bars that it holds
  let asking = null; // the place to record a clip in which something was clicked last

  // What to do where the microphone cannot be used.
  window.serMicrophoneHelp = (error) =>
    HELP[error?.name] ?? "The microphone cannot be used: allow it for this page in the browser, and see that one is connected.";

  const help = (error) => {
    asking.parentNode.querySelector(".ser-denied")?.remove();
    asking.after(serMessage(window.serMicrophoneHelp(error)));
  };

  const meter = (block, stream) => {
    const wrapper = block.querySelector(".component-wrapper") ?? block.querySelector(".audio-container");
    const canvas = Object.assign(document.createElement("canvas"), { className: "ser-meter", width: 640, height: 96 });
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", "Level of the microphone");
    const context = new AudioContext(), analyser = context.createAnalyser(), samples = new Float32Array(2048), bars = [];
    context.createMediaStreamSource(stream).connect(analyser);
    wrapper?.prepend(canvas);
    const timer = setInterval(() => {
      if (stream.getTracks().every((track) => track.readyState === "ended")) {
        clearInterval(timer);
        context.close();
        canvas.remove();
        return;
      }
      analyser.getFloatTimeDomainData(samples);
      bars.push(Math.max(0, 1 + Math.log10(Math.max(...samples.map(Math.abs), 1e-6)) / 2.5)); // 0 to 1: -50 to 0 dB
      canvas.dataset.level = bars.at(-1).toFixed(2);
      if (bars.length > MOST) bars.shift();
      const draw = canvas.getContext("2d"), step = canvas.width / MOST, middle = canvas.height / 2;
      draw.clearRect(0, 0, canvas.width, canvas.height);
      draw.fillStyle = getComputedStyle(canvas).color;
      bars.forEach((bar, place) => draw.fillRect(place * step, middle * (1 - bar), step / 2, Math.max(2, 2 * middle * bar)));
    }, 1000 * SECONDS);
  };

  document.addEventListener("click", (event) => {
    asking = event.target.closest?.(".ser-audio") ?? asking;
    if (event.target.closest?.(".ser-audio button[aria-label='Record audio']") && !navigator.mediaDevices)
      help({ name: "InsecureContext" });
  }, true);

  // A recording that is under way when its tab is left ends, as Live does: no microphone stays on out of sight.
  document.addEventListener("ser-tab", ({ detail }) => {
    if (detail !== "act") document.querySelector("#ser-act-record[data-on=true]")?.click();
    for (const button of document.querySelectorAll(".ser-audio .stop-button"))
      if (button.style.display === "flex") button.click();
  });

  if (!navigator.mediaDevices) return;
  // A browser's gain control, noise suppression and echo cancellation change the very loudness and
  // timbre that tell emotions apart, so every request for the microphone asks to leave them off.
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  const untouched = { autoGainControl: false, noiseSuppression: false, echoCancellation: false };
  navigator.mediaDevices.getUserMedia = async (wish = {}) => {
    if (!wish.audio) return ask(wish);
    const audio = typeof wish.audio === "object" ? wish.audio : {}, block = asking?.checkVisibility() ? asking : null;
    try {
      const stream = await ask({ ...wish, audio: { ...audio, ...untouched } });
      block?.parentNode.querySelector(".ser-denied")?.remove();
      if (block) meter(block, stream);
      return stream;
    } catch (error) {
      if (block) help(error);
      throw error;
    }
  };
})();
