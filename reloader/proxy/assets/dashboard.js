// The dashboard: all of it is drawn from one message, and everything in it is text.
(() => {
  "use strict";
  const $ = (id) => document.getElementById(id);
  let pause = 100; // ms before the next try to connect
  let isPaused = false;

  function make(tag, name, ...inside) {
    const element = document.createElement(tag);
    if (name) element.className = name;
    element.append(...inside.map(String).map((text, n) => inside[n] instanceof Node ? inside[n] : text));
    return element;
  }

  const seconds = (value) => value === null || value === undefined ? "" :
    value < 1 ? Math.round(value * 1000) + " ms" : value.toFixed(2) + " s";

  function connect() {
    const address = new URL("events?dashboard", location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    socket.onmessage = (event) => {
      pause = 100;
      const message = JSON.parse(event.data);
      if (message.type === "state") draw(message);
    };
    socket.onclose = () => {
      head("not connected: reloader has ended", "bad");
      setTimeout(connect, pause);
      pause = Math.min(pause * 2, 5000);
    };
  }

  function head(text, name) {
    $("state").textContent = text;
    $("state").className = "state " + name;
    document.title = text + " · reloader";
  }

  const WORDS = { live: ["live", "good"], building: ["building", "busy"], starting: ["starting", "busy"], paused: ["paused", "busy"],
    waiting: ["waiting for the next try", "busy"], failed: ["failed", "bad"], down: ["down", "bad"], ending: ["ending", "busy"] };

  function draw(message) {
    const run = message.run || {};
    const [word, name] = WORDS[run.condition] || [message.door, message.door === "open" ? "good" : "busy"];
    head(message.why && message.door !== "open" ? word + ": " + message.why : word, name);
    isPaused = run.condition === "paused";
    $("pause").textContent = isPaused ? "Resume" : "Pause";
    $("pause").dataset.do = isPaused ? "resume" : "pause";
    $("problems").hidden = !message.troubles.length;
    $("troubles").replaceChildren(...message.troubles.map(trouble));
    rows($("reloads"), [...(message.reloads || [])].reverse(), "none yet", (one) => [
      ["when", new Date(one.at * 1000).toLocaleTimeString()],
      ["", one.more ? one.cause + " (+" + one.more + ")" : one.cause],
      ["number", seconds(one.seconds)],
      ["number", one.build_seconds ? seconds(one.build_seconds) : ""],
      [one.why ? "bad" : "good", one.why || "reloaded"],
    ]);
    rows($("generations"), run.generations || [], "none runs", (one) => [
      ["number", one.number], ["number", one.pid], [one.life === "ready" ? "good" : "busy", one.life],
      ["", one.command], ["", one.path || one.reason],
    ]);
    chart(message.reloads || []);
  }

  function rows(body, items, none, cells) {
    if (!items.length) {
      const cell = make("td", "", none);
      cell.colSpan = 5;
      body.replaceChildren(make("tr", "", cell));
      return;
    }
    body.replaceChildren(...items.map((item) => make("tr", "", ...cells(item).map(([name, text]) => make("td", name, text)))));
  }

  function chart(reloads) {
    const svg = $("chart"), most = Math.max(0.001, ...reloads.map((one) => one.seconds || 0));
    const bars = reloads.map((one, n) => {
      const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      const height = Math.max(2, 112 * (one.seconds || 0) / most);
      for (const [key, value] of Object.entries({ x: n * 32 + 4, y: 118 - height, width: 24, height, rx: 3 })) bar.setAttribute(key, value);
      bar.setAttribute("class", one.why ? "failed" : "bar");
      const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
      title.textContent = one.cause + ": " + seconds(one.seconds);
      bar.append(title);
      return bar;
    });
    svg.replaceChildren(...bars);
    svg.setAttribute("aria-label", reloads.length ? "Times of the last " + reloads.length + " reloads, the longest " + seconds(most) : "No reload yet");
  }

  function trouble(one) {
    const box = make("div", "", make("h3", "", one.title));
    for (const problem of one.problems) {
      const place = problem.url ? make("a", "", problem.place) : make("span", "", problem.place);
      if (problem.url) place.href = problem.url;
      box.append(make("p", "", place, " ", make("span", problem.level, problem.message)));
      if (problem.source.length) box.append(make("pre", "source", ...problem.source.map(([number, line]) =>
        make("span", number === problem.line ? "here" : "", number + "  " + line))));
    }
    if (one.output.length) box.append(make("pre", "output", ...one.output.map(([text]) => text)));
    return box;
  }

  function ask(action) {
    fetch("do/" + action, { method: "POST", headers: { "X-Reloader": "1" } });
  }

  for (const button of document.querySelectorAll("[data-do]")) button.onclick = () => ask(button.dataset.do);
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.key === "r") ask("restart");
    if (event.key === "b") ask("build");
    if (event.key === "p") ask(isPaused ? "resume" : "pause");
  });
  connect();
})();
