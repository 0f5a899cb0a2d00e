// Act an emotion: a take is recorded and predicted, the visitor judges it, and the browser alone keeps the result.
(() => {
  const at = (id) => document.getElementById(id);
  const LEAST_SECONDS = 0.5;
  let stage = null; // what the server wrote: labels, sentences, model
  let task = null; // { target, sentence }
  let take = null; // the one under way or just predicted: { blocks, rate, samples, label }
  let opening = false;

  // Takes of this model: [{ target, acted, predicted }], here where the browser keeps nothing.
  const key = () => `ser-takes:${stage.model}`;
  let held = null;
  const takes = () => {
    if (held) return held;
    try { return JSON.parse(localStorage.getItem(key()) ?? "[]").filter((each) => stage.labels.includes(each.acted)); }
    catch { return []; }
  };
  const keep = (all) => {
    held = null;
    try { if (all.length) localStorage.setItem(key(), JSON.stringify(all)); else localStorage.removeItem(key()); }
    catch { held = all; }
    at("ser-act-held").hidden = !held;
  };

  const pick = (list) => list[Math.floor(Math.random() * list.length)];
  const next = () => {
    const often = (label) => takes().filter((each) => each.target === label).length;
    const others = stage.labels.filter((label) => label !== task?.target);
    const least = Math.min(...others.map(often));
    const sentence = pick(stage.sentences.filter((each) => each !== task?.sentence));
    task = { target: pick(others.filter((label) => often(label) === least)), sentence };
    at("ser-act-target").textContent = task.target;
    at("ser-act-sentence").textContent = `“${task.sentence}”`;
  };

  const tally = () => {
    const all = takes(), right = all.filter((each) => each.acted === each.predicted).length;
    const missing = stage.takes - all.length;
    at("ser-act-tally").textContent = !all.length ? `After ${stage.takes} takes: your own confusion matrix.`
      : `${all.length} ${all.length === 1 ? "take" : "takes"}, ${right} right.` + (missing > 0 ? ` ${missing} to go until your confusion matrix.` : "");
    at("ser-act-forget").hidden = !all.length;
    at("ser-act-report").hidden = missing > 0;
    at("ser-act-score").textContent = `The prediction was right in ${right} of your ${all.length} takes.`;
    for (const cell of at("ser-act-report").querySelector("table").querySelectorAll("td[data-acted]")) {
      const row = all.filter((each) => each.acted === cell.dataset.acted);
      const count = row.filter((each) => each.predicted === cell.dataset.predicted).length;
      cell.textContent = count || "";
      cell.style.setProperty("--share", row.length ? count / row.length : 0);
    }
  };

  const button = (state) => {
    const record = at("ser-act-record");
    record.dataset.on = state === "recording";
    record.disabled = state === "predicting";
    record.firstElementChild.textContent = { recording: "Stop", predicting: "Predicting …" }[state] ?? "Record";
    at("ser-act-other").disabled = Boolean(state);
  };
  const warn = (text) => {
    at("ser-act-answer").replaceChildren(serMessage(text));
    at("ser-act-verdict").hidden = true;
  };
  const clear = () => {
    at("ser-act").classList.remove("ser-act-answered");
    at("ser-act-answer").replaceChildren();
    at("ser-act-verdict").hidden = at("ser-act-which").hidden = true;
  };

  const seconds = (own) => own.samples / own.rate;
  const meter = (own, block) => {
    const power = block.reduce((sum, sample) => sum + sample * sample, 0) / block.length / 32768 ** 2;
    const level = Math.max(0, Math.min(1, (10 * Math.log10(power + 1e-9) + 60) / 60));
    at("ser-act-level").style.width = `${100 * level}%`;
    at("ser-act-seconds").textContent = `${seconds(own).toFixed(1)} s`;
  };

  const record = async () => {
    if (opening) return;
    opening = true;
    clear();
    const own = { blocks: [], samples: 0 };
    try {
      const microphone = await serSamples((block) => {
        if (take !== own || own.ended) return;
        own.blocks.push(block);
        own.samples += block.length;
        meter(own, block);
        if (!at("ser-act").checkVisibility()) cancel(own); // another tab was opened
        else if (seconds(own) >= stage.seconds - 0.1) finish(own);
      }, () => { if (take === own && !own.ended) { cancel(own); warn(serMicrophoneHelp({ name: "Gone" })); } });
      Object.assign(own, microphone);
      take = own;
      at("ser-act-seconds").textContent = "0.0 s";
      button("recording");
    } catch (error) {
      warn(window.serMicrophoneHelp(error));
    }
    opening = false;
  };

  const end = (own) => { own.ended = true; own.release(); at("ser-act-level").style.width = 0; };
  const cancel = (own) => { end(own); take = null; button(); };

  const finish = async (own) => {
    end(own);
    if (seconds(own) < LEAST_SECONDS) { button(); warn("That was too short. Say the whole sentence."); return; }
    button("predicting");
    own.pcm = new Int16Array(own.samples);
    own.blocks.reduce((place, block) => { own.pcm.set(block, place); return place + block.length; }, 0);
    try {
      const answer = await fetch(new URL(`act?rate=${own.rate}`, document.baseURI), { method: "POST", body: own.pcm });
      const said = await answer.json();
      if (answer.ok) show(own, said); else warn(said.detail);
    } catch {
      warn("The server does not answer. Try again in a moment.");
    }
    button();
  };

  const show = (own, said) => {
    at("ser-act-answer").innerHTML = said.answer;
    at("ser-act").classList.add("ser-act-answered");
    own.label = said.label;
    at("ser-act-asked").textContent = task.target;
    at("ser-act-verdict").hidden = said.label === null;
  };

  const listen = (own) => {
    const context = new AudioContext({ sampleRate: own.rate });
    const sound = context.createBuffer(1, own.samples, own.rate);
    sound.copyToChannel(Float32Array.from(own.pcm, (sample) => sample / 32768), 0);
    const source = Object.assign(context.createBufferSource(), { buffer: sound, onended: () => context.close() });
    source.connect(context.destination);
    source.start();
  };

  const count = (acted) => {
    const all = [...takes(), { target: task.target, acted, predicted: take.label }];
    keep(all);
    proceed();
    if (all.length === stage.takes) { at("ser-act-report").focus(); at("ser-act-report").scrollIntoView({ behavior: "smooth" }); }
  };
  const proceed = () => { clear(); next(); tally(); at("ser-act-record").focus({ preventScroll: true }); };

  const judge = {
    yes: () => count(take.label),
    // Where the model said what was asked for, only the visitor knows what else it was.
    no: () => { if (take.label === task.target) at("ser-act-which").hidden = false; else count(task.target); },
    listen: () => listen(take),
    drop: proceed,
  };

  document.addEventListener("click", ({ target }) => {
    const pressed = target.closest?.("#ser-act button");
    if (!pressed) return;
    if (pressed.id === "ser-act-record") { if (take && !take.ended) finish(take); else record(); }
    else if (pressed.id === "ser-act-other") { clear(); next(); }
    else if (pressed.id === "ser-act-forget") { keep([]); clear(); tally(); }
    else if (pressed.dataset.verdict) judge[pressed.dataset.verdict]();
    else if (pressed.dataset.acted) count(pressed.dataset.acted);
  });

  addEventListener("storage", () => { if (stage) tally(); }); // another tab of this page has counted or forgotten takes

  window.serAct = () => {
    const { labels, sentences, model, takes: needed, seconds: most } = at("ser-act")?.dataset ?? {};
    if (!labels) return; // there is no model, and the page says why
    stage = { labels: JSON.parse(labels), sentences: JSON.parse(sentences), model, takes: Number(needed), seconds: Number(most) };
    next();
    tally();
  };
})();
