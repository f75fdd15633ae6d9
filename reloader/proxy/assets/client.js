// Reloads the page when a new version of the app answers, and shows what broke.
// Everything that comes from outside is shown as text: no HTML is made from it, ever.
(() => {
  "use strict";
  if (window.__reloader) return; // a page that swaps its own head runs this again
  window.__reloader = true;

  const SERVED = "%VERSION%"; // of the app, when this script was fetched
  const script = document.currentScript;
  const waits = script && script.dataset.waits; // no app answered: the last version that did
  const address = new URL("events", script ? script.src : location.origin + "/__reloader/");
  address.protocol = address.protocol.replace("http", "ws");
  const FIELDS = "input,textarea,select";
  const KEPT_FOR = 10000; // ms from saving the state of a page to putting it back
  const key = (what) => "__reloader:" + what + ":" + location.pathname;

  let socket = null;
  let pause = 100; // ms before the next try to connect
  let mine = SERVED; // the version that this page is of
  let styles = null;
  let leaving = false;
  let state = null;

  // --- the channel: one WebSocket a tab, for browsers open six other connections at most ---

  function connect() {
    if (socket || leaving) return;
    try {
      socket = new WebSocket(address);
    } catch (error) {
      console.info("reloader: a policy of this page forbids the connection", error);
      return;
    }
    socket.onmessage = (event) => { pause = 100; take(JSON.parse(event.data)); };
    socket.onclose = () => {
      socket = null;
      setTimeout(connect, pause);
      pause = Math.min(pause * 2, 5000);
    };
  }

  function disconnect() {
    if (!socket) return;
    socket.onclose = socket.onmessage = null;
    socket.close(); // an open one would keep the page out of the cache for back and forward
    socket = null;
  }

  function take(message) {
    if (message.type !== "state") return;
    state = message;
    const restyle = styles !== null && styles !== state.styles;
    styles = state.styles;
    if (isOld()) return leave();
    if (restyle) swapStyles();
    if (window.top === window) overlay.show(state);
  }

  // --- reloading ---

  function isOld() {
    if (state.door !== "open") return false;
    return waits === undefined || waits === null ? state.version !== mine : state.version !== waits;
  }

  function leave() {
    if (document.hidden) return; // when it is shown
    if (leaving) return;
    leaving = true;
    remember();
    location.reload();
  }

  function fields() {
    return [...document.querySelectorAll(FIELDS)];
  }

  function value(field) {
    if (field.type === "password" || field.type === "file") return null;
    if (field.type === "checkbox" || field.type === "radio") return field.checked;
    if (field.multiple && field.options) return [...field.options].map((one) => one.selected);
    return field.value;
  }

  function remember() {
    try {
      const all = fields();
      const focus = all.indexOf(document.activeElement);
      let selection = null;
      try { selection = focus < 0 ? null : [all[focus].selectionStart, all[focus].selectionEnd]; } catch { /* not a text */ }
      sessionStorage.setItem(key("page"), JSON.stringify({
        at: Date.now(), values: all.map(value), focus, selection, x: scrollX, y: scrollY,
      }));
    } catch { /* no storage: the page loses what was typed, as without this */ }
  }

  function restore() {
    let kept = null;
    try {
      kept = JSON.parse(sessionStorage.getItem(key("page")));
      sessionStorage.removeItem(key("page"));
    } catch { /* no storage */ }
    if (!kept || Date.now() - kept.at > KEPT_FOR) return;
    const all = fields();
    if (all.length === kept.values.length) all.forEach((field, n) => put(field, kept.values[n]));
    const focused = all[kept.focus];
    if (focused) {
      focused.focus({ preventScroll: true });
      try { if (kept.selection) focused.setSelectionRange(...kept.selection); } catch { /* not a text */ }
    }
    scrollTo(kept.x, kept.y);
  }

  function put(field, kept) {
    if (kept === null || field.type === "password" || field.type === "file") return;
    if (typeof kept === "boolean") field.checked = kept;
    else if (Array.isArray(kept)) kept.forEach((on, n) => { if (field.options[n]) field.options[n].selected = on; });
    else field.value = kept;
  }

  // The page may come from the HTTP cache, older than the script that it fetches.
  function noteVersion() {
    try {
      const way = performance.getEntriesByType("navigation")[0];
      const before = sessionStorage.getItem(key("version"));
      if (way && way.type === "back_forward" && way.transferSize === 0 && before) mine = before;
      sessionStorage.setItem(key("version"), mine);
    } catch { /* no storage */ }
  }

  // --- stylesheets: the new one is there before the old one goes, so nothing flashes ---

  function swapStyles() {
    let swapped = 0;
    for (const link of document.querySelectorAll('link[rel~="stylesheet"][href]')) {
      const url = new URL(link.href);
      if (url.origin !== location.origin) continue;
      url.searchParams.set("__reloader", styles);
      const next = link.cloneNode();
      next.href = url;
      next.onload = () => link.remove();
      next.onerror = () => next.remove();
      link.after(next);
      swapped += 1;
    }
    if (!swapped) leave();
  }

  // --- errors ---

  const LOOK = `
    :host { all: initial; --back: #fff; --text: #1c1c1e; --dim: #6b6b70; --line: #d8d8dd; --mark: #fdecea;
      --red: #c0271a; --green: #1a7f37; --yellow: #8a6100; --blue: #0a58ca; --magenta: #8a2da5; --cyan: #06707f; }
    @media (prefers-color-scheme: dark) { :host { --back: #1b1b1f; --text: #e8e8ec; --dim: #9a9aa2; --line: #3a3a40;
      --mark: #45211f; --red: #ff7b6e; --green: #5fd07a; --yellow: #e3b341; --blue: #7ab7ff; --magenta: #e08bff; --cyan: #5fd7e6; } }
    * { box-sizing: border-box; }
    .card, .panel { font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; color: var(--text);
      background: var(--back); border: 1px solid var(--line); border-top: 4px solid var(--red); border-radius: 6px;
      box-shadow: 0 8px 30px #0005; position: fixed; z-index: 2147483647; }
    .card { right: 16px; bottom: 16px; max-width: min(480px, calc(100vw - 32px)); padding: 10px 12px; }
    .panel { inset: 4vh max(4vw, calc(50vw - 480px)) auto; max-height: 92vh; overflow: auto; padding: 18px 22px 22px; }
    .shade { position: fixed; inset: 0; background: #0007; z-index: 2147483646; }
    .top { display: flex; gap: 10px; align-items: baseline; }
    .title { flex: 1; margin: 0; font: inherit; font-weight: 700; color: var(--red); overflow-wrap: anywhere; }
    .message { margin: 6px 0 0; overflow-wrap: anywhere; white-space: pre-wrap; }
    .problem { margin: 16px 0 0; }
    button { font: inherit; color: var(--text); background: transparent; border: 1px solid var(--line);
      border-radius: 4px; padding: 0 8px; cursor: pointer; }
    button:hover, a:hover { background: var(--mark); }
    :focus-visible { outline: 2px solid var(--blue); outline-offset: 2px; }
    a, .place { color: var(--blue); overflow-wrap: anywhere; }
    .warning { color: var(--yellow); }
    pre { font: inherit; margin: 6px 0 0; padding: 8px 0; overflow-x: auto; border: 1px solid var(--line); border-radius: 4px; }
    .source span { display: block; padding: 0 10px; white-space: pre; }
    .source .here { background: var(--mark); }
    .output { padding: 8px 10px; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 50vh; overflow-y: auto; }
    summary { margin-top: 16px; cursor: pointer; color: var(--dim); }
    .red { color: var(--red); } .green { color: var(--green); } .yellow { color: var(--yellow); } .blue { color: var(--blue); }
    .magenta { color: var(--magenta); } .cyan { color: var(--cyan); } .white, .black { color: inherit; }
    .bold { font-weight: 700; } .dim { opacity: .65; } .italic { font-style: italic; } .underline { text-decoration: underline; }`;

  function make(tag, name, ...inside) {
    const element = document.createElement(tag);
    if (name) element.className = name;
    element.append(...inside); // strings become text
    return element;
  }

  const overlay = {
    host: null, root: null, shown: "", dismissed: "", isOpen: false,

    show(now) {
      const what = JSON.stringify([now.troubles, now.overlay]);
      if (what === this.shown) return;
      this.shown = what;
      if (this.host) this.host.remove();
      this.host = null;
      if (!now.troubles.length || now.overlay === "off") { this.isOpen = false; this.dismissed = ""; return; }
      if (what === this.dismissed) return;
      this.isOpen = this.isOpen || now.overlay === "full" || waits !== undefined && waits !== null;
      this.draw(now.troubles);
    },

    draw(troubles) {
      if (this.host) this.host.remove();
      this.host = document.createElement("reloader-overlay");
      this.root = this.host.attachShadow({ mode: "open" });
      const look = new CSSStyleSheet();
      look.replaceSync(LOOK);
      this.root.adoptedStyleSheets = [look]; // works with style-src 'none'
      if (this.isOpen) this.panel(troubles); else this.card(troubles[0]);
      document.documentElement.append(this.host);
    },

    close() {
      this.dismissed = this.shown;
      this.isOpen = false;
      if (this.host) this.host.remove();
      this.host = null;
    },

    button(text, label, act) {
      const button = make("button", "", text);
      button.type = "button";
      button.setAttribute("aria-label", label);
      button.onclick = act;
      return button;
    },

    card(trouble) {
      const first = trouble.problems[0];
      const top = make("div", "top", make("p", "title", trouble.title),
        this.button("Show", "Show the error", () => { this.isOpen = true; this.draw(state.troubles); }),
        this.button("×", "Close", () => this.close()));
      const card = make("div", "card", top);
      card.setAttribute("role", "status");
      if (first) card.append(make("p", "message", this.place(first), " ", first.message));
      this.root.append(card);
    },

    panel(troubles) {
      const shade = make("div", "shade");
      shade.onclick = () => this.close();
      const panel = make("div", "panel");
      panel.setAttribute("role", "dialog");
      panel.setAttribute("aria-label", "What broke");
      panel.tabIndex = -1;
      troubles.forEach((trouble, n) => {
        const top = make("div", "top", make("h1", "title", trouble.title));
        if (n === 0) top.append(this.button("Close", "Close", () => this.close()));
        panel.append(top);
        for (const problem of trouble.problems) panel.append(this.problem(problem));
        if (trouble.output.length) panel.append(this.output(trouble));
      });
      this.root.append(shade, panel);
    },

    problem(problem) {
      const text = make("p", "message", this.place(problem), " ", make("span", problem.level, problem.message));
      const box = make("div", "problem", text);
      if (problem.source.length) {
        const width = String(problem.source[problem.source.length - 1][0]).length;
        box.append(make("pre", "source", ...problem.source.map(([number, line]) =>
          make("span", number === problem.line ? "here" : "", String(number).padStart(width) + "  " + line))));
      }
      return box;
    },

    place(problem) {
      if (!problem.place) return "";
      if (!problem.url) return make("span", "place", problem.place);
      const link = make("a", "", problem.place);
      link.href = problem.url;
      link.title = "Open in the editor";
      return link;
    },

    output(trouble) {
      const details = make("details", "", make("summary", "", "Output"),
        make("pre", "output", ...trouble.output.map(([text, style]) => style ? make("span", style, text) : text)));
      details.open = !trouble.problems.length;
      return details;
    },
  };

  // --- the life of the page ---

  addEventListener("keydown", (event) => { if (event.key === "Escape" && overlay.host) overlay.close(); });
  addEventListener("DOMContentLoaded", restore);
  addEventListener("pagehide", disconnect);
  addEventListener("pageshow", (event) => { if (event.persisted) { leaving = false; connect(); } });
  addEventListener("online", connect);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    connect();
    if (state && isOld()) leave();
  });
  if (navigator.serviceWorker && navigator.serviceWorker.controller) {
    console.info("reloader: a service worker serves this page and may serve an old one");
  }
  noteVersion();
  connect();
})();
