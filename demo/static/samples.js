// The microphone as blocks of 16-bit samples of one channel: serSamples(onBlock, onGone) resolves to { rate, release }.
// onGone is called where the microphone ends by itself, as when it is unplugged.
(() => {
  const WORKLET = `registerProcessor("ser-tap", class extends AudioWorkletProcessor {
    constructor() { super(); this.block = new Int16Array(2048); this.filled = 0; }
    process([channels]) {
      for (let i = 0; channels.length && i < channels[0].length; i++) {
        let sum = 0;
        for (const channel of channels) sum += channel[i];
        this.block[this.filled++] = Math.max(-32768, Math.min(32767, Math.round(32768 * sum / channels.length)));
        if (this.filled === this.block.length) { this.port.postMessage(this.block.slice()); this.filled = 0; }
      }
      return true;
    }
  });`;

  window.serSamples = async (onBlock, onGone) => {
    let stream = null, context = null;
    const release = () => { stream?.getTracks().forEach((track) => track.stop()); context?.close(); };
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      stream.getAudioTracks()[0].addEventListener("ended", onGone);
      context = new AudioContext();
      const module = URL.createObjectURL(new Blob([WORKLET], { type: "text/javascript" }));
      await context.audioWorklet.addModule(module);
      URL.revokeObjectURL(module);
      const tap = new AudioWorkletNode(context, "ser-tap");
      tap.port.onmessage = ({ data }) => onBlock(data);
      context.createMediaStreamSource(stream).connect(tap).connect(context.destination);
      return { rate: context.sampleRate, release };
    } catch (error) {
      release();
      throw error;
    }
  };
})();
