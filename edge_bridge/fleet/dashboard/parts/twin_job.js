// A job about the twin of a pack: asked for, followed to its end, cancelled. The host remembers it by its id, and this
// browser remembers the id, so that a reload or another page does not lose it. No element in here.
import { change, read } from "./api.js";
import { onLink, uptime } from "./link.js";

const EVERY_MS = 1000;
const BUSY = ["asking", "queued", "running"];
export const KINDS = { estimates: "estimate", forecasts: "forecast" };
const FORGOTTEN = "The fleet does not know this job any more: its host started again, or the job ended more than an hour ago. Ask again.";
const SILENT = "The fleet does not answer. The job goes on if its host runs; the page asks again by itself.";

export const isBusy = (state) => BUSY.includes(state.phase);

// What a person reads of a job; `state`: {phase, job, problem}.
export function describeJob({ phase, job, problem }) {
  if (phase === "asking") return "Asking the fleet …";
  if (phase === "queued") return "Waiting for the worker: it computes one job at a time.";
  if (phase === "running") return job.kind === "forecast" ? "Computing the forecast." : "Computing the estimate.";
  if (phase === "silent") return SILENT;
  if (phase === "cancelled") return "Cancelled: nothing was computed.";
  if (phase === "forgotten") return FORGOTTEN;
  if (phase === "failed" || phase === "refused") return describeProblem(problem);
  return "";
}

function describeProblem(problem) {
  const hint = problem?.hint ? ` ${toSentence(problem.hint)}` : "";
  if (problem?.status === 0) return "The fleet does not answer: nothing was asked.";
  if (problem?.status === 503) return `The one worker is busy, and no more jobs can wait.${hint}`;
  if (problem?.status === 403) return `Your role does not permit this: ${problem.detail}.${hint}`;
  return toSentence(problem?.detail || "The job failed, and nobody said why") + hint;
}

export const toSentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.$/, "")}.`;

export class TwinJob {
  constructor(node, onChange) {
    Object.assign(this, { node, onChange, state: { phase: "none", job: null, problem: null }, id: "", timer: 0, turn: 0, isClosed: false });
    this.key = `pulsebms-job-${node}`;
    this.unlink = onLink(({ back }) => back && this.state.phase === "silent" && this.follow());
  }

  // Go on with the job that this browser asked for before, if there is one.
  resume() {
    this.id = recall(this.key);
    if (this.id) this.follow();
  }

  async ask(kind, body) {
    const turn = this.begin("asking");
    try {
      const job = await change("POST", `/devices/${encodeURIComponent(this.node)}/${kind}`, body);
      if (turn !== this.turn) return;
      this.id = String(job?.id ?? "");
      keep(this.key, this.id);
      this.take(job);
    } catch (problem) {
      if (turn === this.turn) this.set("refused", null, problem);
    }
  }

  async follow() {
    const turn = (this.turn += 1);
    try {
      const job = await read(`/jobs/${encodeURIComponent(this.id)}`);
      if (turn === this.turn) this.take(job);
    } catch (problem) {
      if (turn === this.turn) this.fail(problem);
    }
  }

  async cancel() {
    const turn = (this.turn += 1);
    clearTimeout(this.timer);
    try {
      const job = await change("DELETE", `/jobs/${encodeURIComponent(this.id)}`);
      if (turn === this.turn) this.take(job);
    } catch (problem) {
      if (turn === this.turn) this.fail(problem);
    }
  }

  fail(problem) {
    if (problem.status === 404) this.set("forgotten", null);
    else if (problem.status === 0) this.set("silent", this.state.job);
    else this.set("refused", null, problem);
  }

  dismiss() {
    this.begin("none");
    this.id = "";
    keep(this.key, "");
  }

  begin(phase) {
    const turn = (this.turn += 1);
    clearTimeout(this.timer);
    this.beganMs = uptime();
    this.set(phase, null);
    return turn;
  }

  take(job) {
    const phase = ["queued", "running", "done", "failed", "cancelled"].includes(job?.state) ? job.state : "failed";
    this.set(phase, job, phase === "failed" ? job?.problem : null);
    clearTimeout(this.timer);
    if (isBusy(this.state) && !this.isClosed) this.timer = setTimeout(() => this.follow(), EVERY_MS);
  }

  set(phase, job, problem = null) {
    if (phase === "forgotten" || phase === "refused" || phase === "cancelled") keep(this.key, "");
    this.state = { phase, job, problem };
    if (!this.isClosed) this.onChange(this.state);
  }

  close() {
    this.isClosed = true;
    this.turn += 1;
    clearTimeout(this.timer);
    this.unlink();
  }
}

function keep(key, id) {
  try {
    if (id) sessionStorage.setItem(key, id);
    else sessionStorage.removeItem(key);
  } catch {
    /* it lasts until the page is left */
  }
}

function recall(key) {
  try {
    const found = sessionStorage.getItem(key) ?? "";
    return /^[0-9a-f]{16}$/.test(found) ? found : "";
  } catch {
    return "";
  }
}
