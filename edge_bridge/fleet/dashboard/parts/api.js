// Requests to the API. A failure is an `ApiProblem` with a sentence; no answer at all is told to `link.js`.
import { noteAnswer, noteSilence, uptime } from "./link.js";

const PREFIX = "/api/v1";
const WAIT_MS = 20000;
export const access = { csrf: "", onSignedOut: () => {} };

export class ApiProblem extends Error {
  constructor(status, detail, hint = "") {
    super(detail);
    Object.assign(this, { status, detail, hint });
  }
}

export async function read(path, query = {}) {
  return send("GET", path + makeQuery(query));
}

export async function change(method, path, body) {
  return send(method, path, body);
}

export function makeQuery(query) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value].flat()) if (one !== null && one !== undefined && one !== "") search.append(name, one);
  }
  const text = search.toString();
  return text ? `?${text}` : "";
}

async function send(method, path, body) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET" && access.csrf) headers["X-CSRF-Token"] = access.csrf;
  const asked = { method, headers, cache: "no-store", signal: AbortSignal.timeout(WAIT_MS) };
  if (body !== undefined) asked.body = JSON.stringify(body);
  const beganMs = uptime();
  let response;
  try {
    response = await fetch(PREFIX + path, asked);
  } catch {
    noteSilence(beganMs);
    throw new ApiProblem(0, "The fleet does not answer.");
  }
  noteAnswer(response);
  return readAnswer(response);
}

async function readAnswer(response) {
  if (response.status === 204) return null;
  let found = null;
  try {
    found = await response.json();
  } catch {
    throw new ApiProblem(response.status, "The answer of the fleet cannot be read.", "Reload the page; if it stays so, look into the fleet's log.");
  }
  if (response.ok) return found;
  const problem = new ApiProblem(response.status, String(found?.detail || found?.title || `Error ${response.status}`), String(found?.hint ?? ""));
  if (response.status === 401) access.onSignedOut();
  throw problem;
}
