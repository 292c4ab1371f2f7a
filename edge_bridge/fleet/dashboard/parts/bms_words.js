// State and fault of a BMS by their names in the value table of its profile (the DBC of the bundle that runs).
import { DASH } from "./format.js";

const isWhole = (value) => Number.isInteger(value);
const toWords = (name) => String(name).toLowerCase().replaceAll("_", " ");

function findName(names, kind, number) {
  const table = names?.[kind] ?? {};
  return Object.hasOwn(table, String(number)) ? toWords(table[String(number)]) : "";
}

export function nameBms({ bms_state: state, bms_fault: fault, names }) {
  if (isWhole(fault) && fault !== 0) return findName(names, "faults", fault) || `fault ${fault}`;
  if (!isWhole(state)) return DASH;
  return findName(names, "states", state) || `state ${state}`;
}

// The number behind a name, or why there is no name.
export function nameBmsNumber({ bms_state: state, bms_fault: fault, names }) {
  const isFault = isWhole(fault) && fault !== 0;
  if (!isFault && !isWhole(state)) return "";
  const [kind, number, words] = isFault ? ["faults", fault, `fault ${fault}`] : ["states", state, `state ${state}`];
  const more = isFault ? "" : fault === 0 ? ", no fault" : "";
  if (findName(names, kind, number)) return words + more;
  if (!names) return more.slice(2);
  return `${names.bundle ? "not named by its profile" : "its profile is not in this fleet"}${more}`;
}
