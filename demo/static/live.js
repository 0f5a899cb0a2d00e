// Live: samples from the microphone go to the server as they come, one request at a time, and its answer is shown.
(() => {
  const WAIT = 0.35, MOST = 4; // seconds of sound that make a request worth while, and that may wait for one
  const at = (id) => document.getElementById(id);
  let active = null;

  const say = (text) => { if (at("ser-live-said").textContent !== text) at("ser-live-said").textContent = text; };
  const warn = (text) => at("ser-live-emotion").replaceChildren(serMessage(text));
  const label = (on) => {
    at("ser-live-toggle").textContent = on ? "Stop the microphone" : "Start the microphone";
    at("ser-live-toggle").dataset.on = on;
  };

  const show = (update) => {
    at("ser-live-emotion").innerHTML = update.emotion;
    at("ser-live-picture").innerHTML = update.picture;
    const share = Math.max(0, Math.min(1, (update.level + 60) / 60));
    at("ser-live-level").style.width = `${100 * share}%`;
    at("ser-live-decibels").textContent = `${update.level.toFixed(0)} dB`;
    at("ser-live-seconds").textContent = `${Math.floor(update.seconds)} s`;
    say(update.label);
  };

  const taken = (own) => {
    const samples = new Int16Array(own.waiting);
    let place = 0;
    for (const block of own.blocks) { samples.set(block, place); place += block.length; }
    own.blocks = [];
    own.waiting = 0;
    return samples;
  };

  // The visitor's voice profile, which the page keeps in the browser, or that none is to be used.
  const tell = async (own) => {
    const address = new URL(`live/${own.name}/voice?rate=${own.rate}`, document.baseURI);
    const answer = await fetch(address, { method: "POST", body: own.voice ? JSON.stringify(own.voice) : "" });
    return answer.ok ? "" : (await answer.json()).detail;
  };

  const pump = async (own) => {
    while (active === own) {
      if (own.waiting < WAIT * own.rate) { await new Promise((go) => setTimeout(go, 30)); continue; }
      try {
        if (own.voice !== (window.serLiveVoice ?? null)) {
          own.voice = window.serLiveVoice ?? null;
          const refused = await tell(own);
          if (active !== own) return;
          if (refused) { stop(); warn(refused); return; }
        }
        const address = new URL(`live/${own.name}?rate=${own.rate}`, document.baseURI);
        const answer = await fetch(address, { method: "POST", body: taken(own) });
        const update = await answer.json();
        if (active !== own) return;
        if (!answer.ok) { stop(); warn(update.detail); return; }
        if (update.seconds < own.seconds) own.voice = null; // the server has begun anew, without the profile
        own.seconds = update.seconds;
        show(update);
      } catch {
        if (active === own) { stop(); warn("The server does not answer. Start again in a moment."); }
        return;
      }
    }
  };

  const start = async () => {
    const own = { session: serSession(), blocks: [], waiting: 0, seconds: 0, voice: null, name: crypto.randomUUID?.() ?? String(Math.random()).slice(2) };
    active = own;
    label(true);
    try {
      const microphone = await serSamples((block) => {
        own.session.add(block, own.rate);
        own.blocks.push(block);
        own.waiting += block.length;
        while (own.waiting > MOST * own.rate) own.waiting -= own.blocks.shift().length;
      }, () => { if (active === own) { stop(); warn(serMicrophoneHelp({ name: "Gone" })); } });
      Object.assign(own, microphone);
    } catch (error) {
      if (active === own) { active = null; label(false); }
      warn(window.serMicrophoneHelp(error));
      return;
    }
    if (active === own) pump(own); else own.release();
  };

  const stop = () => {
    const own = active;
    active = null;
    label(false);
    say("stopped");
    own?.release?.();
    own?.session.finish();
    const card = at("ser-live-emotion").querySelector(".ser-emotion"); // what it says is over now
    card?.classList.add("ser-weak");
    const isPrediction = Boolean(card?.querySelector(".ser-confidence"));
    card?.querySelector(".ser-lead")?.replaceChildren(isPrediction ? "Stopped. The last prediction was" : "Stopped.");
  };

  document.addEventListener("ser-tab", ({ detail }) => { if (active && detail !== "live") stop(); });
  document.addEventListener("click", (event) => {
    if (event.target.id === "ser-live-toggle") (active ? stop : start)();
  });
})();
