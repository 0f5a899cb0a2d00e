// A finished Live session opens in the workbench: its samples, which this browser alone has kept, become a WAV file that
// goes to the tab Recording as if it had been chosen there.
(() => {
  const MOST_SECONDS = 600; // that are kept: 58 MB at 48 kHz
  const LEAST_SECONDS = 1;
  const button = () => document.getElementById("ser-live-open");
  let finished = null;

  const wav = ({ blocks, rate }) => {
    const bytes = blocks.reduce((sum, block) => sum + block.byteLength, 0), head = new DataView(new ArrayBuffer(44));
    const text = (place, letters) => [...letters].forEach((letter, i) => head.setUint8(place + i, letter.charCodeAt(0)));
    text(0, "RIFF"); head.setUint32(4, 36 + bytes, true); text(8, "WAVEfmt ");
    head.setUint32(16, 16, true); head.setUint16(20, 1, true); head.setUint16(22, 1, true); // PCM, one channel
    head.setUint32(24, rate, true); head.setUint32(28, 2 * rate, true); head.setUint16(32, 2, true); head.setUint16(34, 16, true);
    text(36, "data"); head.setUint32(40, bytes, true);
    return new File([head, ...blocks], "live session.wav", { type: "audio/wav" });
  };

  const appears = async (selector) => {
    for (let tries = 0; tries < 100; tries++) {
      const found = document.querySelector(selector);
      if (found) return found;
      await new Promise((go) => setTimeout(go, 50));
    }
    throw new Error(`${selector} does not appear`);
  };

  const openIt = async () => {
    const chosen = new DataTransfer();
    chosen.items.add(wav(finished));
    [...document.querySelectorAll("#ser-tabs [role=tab]")].find((tab) => tab.textContent.trim() === "Recording").click();
    const place = await appears("#ser-recording-audio"), files = "#ser-recording-audio input[type=file]";
    place.parentNode.querySelector(".ser-denied")?.remove();
    try {
      place.querySelector("button[aria-label=Clear]")?.click();
      // Where the microphone was the last source, files are taken only after this.
      if (!document.querySelector(files)) (await appears("#ser-recording-audio button[aria-label='Upload file']")).click();
      const input = await appears(files);
      input.files = chosen.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    } catch {
      place.after(serMessage("The session could not be opened. Choose “Upload file” here, then open it from Live again."));
    }
  };

  // One session under way: `add` takes its int16 samples as they come, `finish` offers to open it.
  window.serSession = () => {
    const own = { blocks: [], samples: 0 };
    finished = null;
    button().hidden = true;
    return {
      add(block, rate) {
        own.rate = rate;
        own.blocks.push(block);
        own.samples += block.length;
        while (own.samples > MOST_SECONDS * rate) own.samples -= own.blocks.shift().length;
      },
      finish() {
        if (!own.rate || own.samples < LEAST_SECONDS * own.rate) return;
        finished = own;
        button().hidden = false;
      },
    };
  };
  document.addEventListener("click", (event) => { if (event.target.id === "ser-live-open" && finished) openIt(); });
})();
