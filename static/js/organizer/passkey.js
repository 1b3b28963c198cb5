// Passkeys: asks the browser for one, puts its answer into the form, and sends that. A browser that
// knows no passkeys, or no JSON of them, never shows the form.

const canUsePasskeys = Boolean(
  globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON &&
    globalThis.PublicKeyCredential?.parseCreationOptionsFromJSON,
);

for (const form of document.querySelectorAll("form[data-passkey-kind]")) {
  if (!canUsePasskeys) continue;
  form.hidden = false;
  for (const note of document.querySelectorAll("[data-passkey-missing]")) note.hidden = true;
  form.addEventListener("submit", async (event) => {
    if (form.elements.credential.value) return;
    event.preventDefault();
    try {
      const credential = await askBrowser(form.dataset.passkeyKind, JSON.parse(form.dataset.options));
      form.elements.credential.value = JSON.stringify(credential.toJSON());
      form.submit();
    } catch {
      // Called off by the person, or by the browser: the words say that nothing happened.
      form.querySelector("[data-passkey-failed]").hidden = false;
    }
  });
}

function askBrowser(kind, options) {
  if (kind === "make") {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
    return navigator.credentials.create({ publicKey });
  }
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return navigator.credentials.get({ publicKey });
}
