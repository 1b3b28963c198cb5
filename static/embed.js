// Uketsuke's forms in this page: docs/embed.md
(() => {
  const script = document.currentScript;
  const { origin } = new URL(script.src);
  const NAME = "uketsuke-form";
  const CARRIED = /^(utm_\w+|ref|\w{1,3}clk?id|[gw]braid|li_fat_id)$/;

  const make = (tag, members) => Object.assign(document.createElement(tag), members);

  class Form extends HTMLElement {
    fields = {};

    // Not before there are styles.
    connectedCallback() {
      requestAnimationFrame(() => this.isConnected && this.mount());
    }

    mount() {
      this.disconnectedCallback();
      const { event, organization, height = 800, lang = this.closest("[lang]")?.lang, ...own } = this.dataset;
      // Light text: a dark page. Mixed, all colors are color(srgb r g b).
      this.style.outlineColor = "color-mix(in srgb,currentcolor,currentcolor)";
      const color = getComputedStyle(this).outlineColor;
      const [, green] = color.match(/[\d.e-]+/g);
      const theme = own.theme ?? (green > (color[0] === "c" ? 0.6 : 150) ? "dark" : "light");
      const query = new URLSearchParams(location.search);
      for (const name of [...query.keys()]) if (!CARRIED.test(name)) query.delete(name);
      const address = `${origin}/${event ? "e" : "o"}/${event ?? organization}`;
      const textContent = own.title ?? (/^ja/.test(lang) ? "お申し込み" : "Register");
      const href = `${address}?${query}`;
      if (!this.firstElementChild) this.append(make("a", { href, textContent }));
      query.set("page", location.origin + location.pathname);
      query.set("parent", location.origin);
      query.set("theme", theme);
      if (lang) query.set("lang", lang.slice(0, 2));
      this.frame = make("iframe", {
        allow: "clipboard-write",
        loading: "lazy",
        // Where no form comes, the link does. Pictures may come later.
        onload: () => this.view || (this.wait ??= setTimeout(() => this.show(false), 4000)),
        src: `${address}/embed?${query}`,
        title: textContent,
      });
      const style = { border: 0, colorScheme: theme, height: `${height}px`, width: "100%", verticalAlign: "top" };
      Object.assign(this.frame.style, style);
      this.append(this.frame);
      this.style.display = "block";
      this.show(true);
      addEventListener("message", this);
    }

    disconnectedCallback() {
      removeEventListener("message", this);
      clearTimeout(this.wait);
      this.frame?.remove();
      this.wait = this.view = null;
    }

    prefill(fields) {
      Object.assign(this.fields, fields);
      const message = { type: "prefill", fields: this.fields, attributes: { ...this.dataset } };
      if (this.view) this.frame.contentWindow.postMessage(message, origin);
    }

    handleEvent(message) {
      const { frame, view } = this;
      if (message.origin !== origin || message.source !== frame.contentWindow) return;
      const { type, value } = message.data;
      if (type === "height") frame.style.height = `${Math.min(value, 20000)}px`;
      if (type === "scroll") this.reveal(value);
      if (type !== "view") return;
      this.view = value;
      clearTimeout(this.wait);
      this.show(true);
      if (view) this.reveal(0);
      else this.tell("ready");
      this.tell("view");
      if (value === "form") this.prefill();
      if (/form|errors/.test(view) && /done|pending/.test(value)) this.tell("registered");
    }

    show(isFramed) {
      for (const child of this.children) child.style.display = isFramed === (child === this.frame) ? "" : "none";
    }

    tell(what) {
      const detail = { event: this.dataset.event, view: this.view };
      this.dispatchEvent(new CustomEvent(`uketsuke:${what}`, { bubbles: true, detail }));
    }

    // Below a header that stays.
    reveal(y) {
      const { dataset, style } = this;
      const former = style.scrollMarginTop;
      const offset = dataset.offset ?? parseFloat(getComputedStyle(this).scrollMarginTop);
      style.scrollMarginTop = `${offset - y}px`;
      this.scrollIntoView();
      style.scrollMarginTop = former;
    }
  }

  if (!customElements.get(NAME)) customElements.define(NAME, Form);

  const place = ({ dataset }) => {
    const form = make(NAME);
    for (const name in dataset) form.dataset[name.replace("uketsuke", "").toLowerCase()] = dataset[name];
    return form;
  };

  const look = () => {
    for (const box of document.querySelectorAll("[data-uketsuke-event],[data-uketsuke-organization]")) {
      if (box.querySelector(NAME)) continue;
      const form = place(box);
      form.append(...box.childNodes);
      box.append(form);
    }
  };

  const { event, organization } = script.dataset;
  if ((event ?? organization) && script.nextElementSibling?.localName !== NAME) script.after(place(script));
  new MutationObserver(look).observe(document, { childList: true, subtree: true });
  look();
})();
