// Does the work that a page asks for, in workers, says so, and sends the form on once it is done.
// The page works without it: the same form can be confirmed by email.

const form = document.querySelector("[data-work]");
const SHOWN_MS = 100;
const SLOW_MS = 6_000;
const LONGEST_MS = 180_000;

if (form) start();

async function start() {
  const words = form.querySelector("[data-work-words]");
  const say = (name) => (words.textContent = words.dataset[name]);
  form.querySelector("[data-work-shown]").hidden = false;
  // What is said in the moment in which its place appears is not read out.
  const begun = setTimeout(say, SHOWN_MS, "working");
  const slow = setTimeout(say, SLOW_MS, "slow");
  try {
    form.elements.namedItem("proof").value = await work(JSON.parse(form.dataset.work));
    say("done");
    form.querySelector("[data-work-go]").hidden = false;
    // Where the last proof was not taken, a person presses: nothing goes round in a circle.
    if (!("workAgain" in form.dataset)) form.requestSubmit();
  } catch {
    say("failed");
  } finally {
    clearTimeout(begun);
    clearTimeout(slow);
  }
}

// Returns a payload in ALTCHA's format. Each worker tries every so many-th number.
async function work(challenge) {
  if (!globalThis.crypto?.subtle) throw new Error("no secure context");
  const count = Math.min(navigator.hardwareConcurrency || 2, 4);
  const workers = Array.from({ length: count }, () => new Worker(form.dataset.worker));
  const tries = workers.map((worker, index) => search(worker, challenge, index, count));
  try {
    const solution = await Promise.any(tries);
    return btoa(JSON.stringify({ challenge, solution }));
  } finally {
    for (const worker of workers) worker.terminate();
  }
}

function search(worker, challenge, counterStart, counterStep) {
  return new Promise((found, missed) => {
    worker.onerror = missed;
    worker.onmessage = ({ data }) => (data?.derivedKey ? found(data) : missed(data?.error));
    worker.postMessage({
      type: "work",
      challenge,
      counterMode: "uint32",
      counterStart,
      counterStep,
      timeout: LONGEST_MS,
    });
  });
}
