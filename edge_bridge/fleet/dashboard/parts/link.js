// Whether the fleet answers: one place that knows, says since when not, and asks again at growing distances.

const STEPS_S = [1, 2, 4, 8, 15];

export const link = {
  lostMs: null, // since when it does not answer, by the clock of this browser; null while it does
  lostUptimeMs: 0,
  answeredMs: 0, // when it answered last, as `uptime`
  tries: 0,
  nextMs: 0, // as `uptime`
  skewMs: 0, // clock of the fleet minus that of this browser
  listeners: new Set(),
  timer: 0,
};

export const now = () => Date.now() + link.skewMs;
export const uptime = () => performance.now(); // nobody sets this clock

export function onLink(listener) {
  link.listeners.add(listener);
  return () => link.listeners.delete(listener);
}

const tell = (kind) => [...link.listeners].forEach((listener) => listener(kind));

export function noteAnswer(response) {
  const date = Date.parse(response.headers.get("date") ?? "");
  const skew = date + 500 - Date.now(); // the header has whole seconds
  if (Number.isFinite(skew)) link.skewMs = Math.abs(skew - link.skewMs) > 2000 ? skew : link.skewMs;
  link.answeredMs = uptime();
  if (link.lostMs === null) return;
  const lostS = (uptime() - link.lostUptimeMs) / 1000;
  clearTimeout(link.timer);
  Object.assign(link, { lostMs: null, tries: 0 });
  document.body.classList.remove("is-lost");
  tell({ back: true, lostS });
}

// A request that began at `beganMs` (`uptime`) got no answer. One that failed alone, or began before the last answer, says nothing
// of the fleet: it is lost if it does not answer the shortest question either.
export async function noteSilence(beganMs = uptime()) {
  if (link.lostMs !== null || beganMs < link.answeredMs || link.isAsking) return;
  link.isAsking = true;
  try {
    noteAnswer(await ask());
    return;
  } catch {
    if (link.lostMs !== null) return;
  } finally {
    link.isAsking = false;
  }
  Object.assign(link, { lostMs: Date.now(), lostUptimeMs: uptime() });
  document.body.classList.add("is-lost");
  plan();
}

function plan() {
  const waitS = STEPS_S[Math.min(link.tries, STEPS_S.length - 1)] * (0.8 + 0.4 * Math.random());
  link.tries += 1;
  link.nextMs = uptime() + waitS * 1000;
  clearTimeout(link.timer);
  link.timer = setTimeout(tryNow, waitS * 1000);
  tell({ back: false });
}

const ask = () => fetch("/api/v1/health/live", { cache: "no-store", signal: AbortSignal.timeout(5000) });

export async function tryNow() {
  try {
    noteAnswer(await ask());
  } catch {
    if (link.lostMs !== null) plan();
  }
}
