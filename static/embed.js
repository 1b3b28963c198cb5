// Puts a form of Uketsuke into this page: docs/embed.md
(() => {
  const script = document.currentScript;
  const { origin } = new URL(script.src);
  const NAME = "uketsuke-form";
  const CARRIED = /^(utm_\w+|ref|\w{1,3}clk?id|[gw]braid|li_fat_id)$/;

  const make = (tag, members, style) => {
    const element = Object.assign(document.createElement(tag), members);
    Object.assign(element.style, style);
    return element;
  };

  class Form extends HTMLElement {
    fields = {};

    // Not before there are styles.
    connectedCallback() {
      requestAnimationFrame(() => this.isConnected && this.mount());
    }

    mount() {
      this.disconnectedCallback();
      const { event, organization, height = 800, lang = this.closest("[lang]")?.lang, ...own } = this.dataset;
      // Light text stands on a dark page.
      const { color } = getComputedStyle(this);
      const [first, green] = color.match(/[\d.]+/g);
      const theme = own.theme ?? ((color[0] === "o" ? first > 0.6 : green > 150) ? "dark" : "light");
      const query = new URLSearchParams(location.search);
      for (const name of [...query.keys()]) if (!CARRIED.test(name)) query.delete(name);
      const address = `${origin}/${event ? "e" : "o"}/${event ?? organization}`;
      const textContent = own.title ?? (/^ja/.test(lang) ? "お申し込み" : "Register");
      if (!this.firstElementChild) {
        this.append(make("a", { href: `${address}?${query}`, textContent }));
      }
      query.set("page", location.origin + location.pathname);
      query.set("parent", location.origin);
      query.set("theme", theme);
      if (lang) query.set("lang", lang.slice(0, 2));
      const members = {
        allow: "clipboard-write",
        loading: "lazy",
        // Where the form does not come, the link does. Pictures may come after the form.
        onload: () => this.view || (this.wait ??= setTimeout(() => this.show(false), 4000)),
        src: `${address}/embed?${query}`,
        title: textContent,
      };
      const style = { border: 0, colorScheme: theme, height: `${height}px`, verticalAlign: "top", width: "100%" };
      this.append((this.frame = make("iframe", members, style)));
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
      for (const child of this.children) {
        child.style.display = (child === this.frame) === isFramed ? "" : "none";
      }
    }

    tell(what) {
      const detail = { event: this.dataset.event, view: this.view };
      this.dispatchEvent(new CustomEvent(`uketsuke:${what}`, { bubbles: true, detail }));
    }

    // Below a header that stays: `scroll-margin-top` of the element, or `data-offset` in pixels.
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

  const place = ({ dataset }, more) => {
    const form = make(NAME);
    Object.assign(form.dataset, dataset, more);
    return form;
  };

  const look = () => {
    for (const box of document.querySelectorAll(`[data-uketsuke-event]:not(${NAME})`)) {
      if (box.querySelector(NAME)) continue;
      const form = place(box, { event: box.dataset.uketsukeEvent });
      form.append(...box.childNodes);
      box.append(form);
    }
  };

  const { event, organization } = script.dataset;
  if ((event ?? organization) && script.nextElementSibling?.localName !== NAME) script.after(place(script));
  new MutationObserver(look).observe(document, { childList: true, subtree: true });
  look();
})();
