/**
 * What makes an answer cheaper, quicker or easier to find again, but no other answer. To leave it
 * out is never a reason to refuse a call.
 */
const HINTS = new Set([
  'background',
  'cache_control',
  'diagnostics',
  'include',
  'keep_alive',
  'metadata',
  'prediction',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'reasoning.summary',
  'safety_identifier',
  'service_tier',
  'shift',
  'speed',
  'store',
  'truncate',
  'stream_options',
  'user',
  'client_metadata',
]);

/** @returns Those of the names that would have changed the answer. */
export function demands(dropped: readonly string[]): readonly string[] {
  return dropped.filter((name) => !HINTS.has(name));
}
