// A device as the list shows it, and what live messages change of it.

export const STATES = ["tripped", "offline", "held", "online"];
export const STALE_S = 15;

const FIELD_OF = {
  "Bundle/Sha256": "bundle", "Bundle/Name": "bundle_name", "Bundle/Evidence": "bundle_evidence",
  "Bundle/Serial": "bundle_serial", "Bundle/Desired": "bundle_desired", "Bundle/State": "bundle_state",
  "Bundle/Reason": "bundle_reason", "Bundle/Received": "bundle_received", "Gate/Verdict": "gate_verdict",
  "Gate/Reason": "gate_reason", "Pack/SoC": "soc", "Pack/SoC Std": "soc_std", "Pack/SoH": "soh",
  "Pack/SoH Std": "soh_std", "Cells/SoH Min": "soh_min", "Pack/Current": "current_a", "Pack/Voltage": "voltage_v",
  "Cells/Voltage Min": "cell_min_v", "Cells/Voltage Max": "cell_max_v", "Temperature/Max": "temperature_max_k",
  "Pack/Resistance Growth": "resistance_growth", "Pack/Resistance Growth Std": "resistance_growth_std",
  "Outbox/Depth": "outbox_depth", "Outbox/Evicted": "outbox_evicted",
  "BMS/State": "bms_state", "BMS/Fault": "bms_fault",
};

export function findState(device) {
  if (device.gate_verdict === "tripped") return "tripped";
  if (!device.online) return "offline";
  return device.gate_verdict === "held" ? "held" : "online";
}

export function applyState(device, state) {
  device.online = state.online === true;
  if (typeof state.last_ms === "number") device.last_ms = Math.max(device.last_ms ?? 0, state.last_ms);
  for (const [metric, value] of Object.entries(state.status ?? {})) {
    if (Object.hasOwn(FIELD_OF, metric)) device[FIELD_OF[metric]] = value;
  }
  device.state = findState(device);
}

export function applyRow(device, tMs, values) {
  if (device.last_ms !== null && device.last_ms !== undefined && tMs < device.last_ms) return false;
  device.last_ms = tMs;
  Object.assign(device, values);
  device.state = findState(device);
  return true;
}

export function findAge(device, nowMs) {
  return typeof device.last_ms === "number" ? Math.max(0, (nowMs - device.last_ms) / 1000) : NaN;
}

export function isStale(device, nowMs) {
  return !device.online || !(findAge(device, nowMs) <= STALE_S);
}

export function nameBundle(device) {
  if (!device.bundle_name) return device.bundle ? String(device.bundle).slice(0, 12) : "–";
  return `${device.bundle_name} ${device.bundle_serial ?? ""}`.trim();
}
