// Says once that the form was seen, and once that somebody began to fill it in: nothing else, and
// nothing where the browser asks for no such thing. The server counts; nobody is told apart.

for (const form of document.querySelectorAll("form[data-seen]")) {
  if (navigator.globalPrivacyControl || navigator.doNotTrack === "1") continue;
  const say = (what) =>
    fetch(form.dataset.seen + what + new URL(form.action).search, {
      method: "POST",
      keepalive: true,
      credentials: "omit",
    }).catch(() => {});
  say("view");
  // Who sends it empty has begun, too.
  const waiting = new AbortController();
  const begin = () => (waiting.abort(), say("start"));
  for (const type of ["input", "submit"]) form.addEventListener(type, begin, waiting);
}
