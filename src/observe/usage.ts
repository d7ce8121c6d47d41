import { OPERATIONS, type Operation } from '../service.ts';

/** Tokens of one call, as its backend counted them. */
export interface Usage {
  readonly input: number;
  readonly output: number;
}

/**
 * Output tokens of a stream that its backend did not count: one an event, which is what nearly all
 * backends send. Only where events are text.
 */
export function guessTokens(
  operation: Operation,
  events: number,
  usage: Usage | undefined,
): number {
  if (events === 0 || (usage && usage.output > 0)) return 0;
  const { service } = OPERATIONS[operation];
  return service === 'chat' || service === 'transcription' ? events : 0;
}

const KEY = Buffer.from('"usage"');
/** `usage` objects are a few hundred bytes; what follows one in an answer is not longer. */
const WINDOW = 2048;

/** Whether a piece of an answer names its usage, with numbers in it. */
export function mentionsUsage(bytes: Buffer): boolean {
  const at = bytes.lastIndexOf(KEY);
  return at >= 0 ? bytes.indexOf('_tokens"', at) >= 0 : bytes.includes('eval_count"');
}

/**
 * Reads the last `usage` of an answer without parsing the whole of it. Chat and embeddings say
 * `prompt_tokens` and `completion_tokens`, the newer APIs `input_tokens` and `output_tokens`, to
 * which Anthropic's cached tokens add; Ollama's own answers have counts without a `usage` around them.
 */
export function readUsage(bytes: Buffer): Usage | undefined {
  const at = bytes.lastIndexOf(KEY);
  if (at < 0) return readCounts(bytes);
  const text = bytes.toString('latin1', at, at + WINDOW);
  const input = count(text, /"(?:prompt|input)_tokens"\s*:\s*(\d+)/);
  const output = count(text, /"(?:completion|output)_tokens"\s*:\s*(\d+)/);
  if (input === undefined && output === undefined) return undefined;
  const read = count(text, /"cache_read_input_tokens"\s*:\s*(\d+)/) ?? 0;
  const written = count(text, /"cache_creation_input_tokens"\s*:\s*(\d+)/) ?? 0;
  return { input: (input ?? 0) + read + written, output: output ?? 0 };
}

/** Ollama's own answers have their counts beside everything else, at the end. */
function readCounts(bytes: Buffer): Usage | undefined {
  const text = bytes.toString('latin1', Math.max(0, bytes.length - WINDOW));
  const input = count(text, /"prompt_eval_count"\s*:\s*(\d+)/);
  const output = count(text, /"eval_count"\s*:\s*(\d+)/);
  return input === undefined && output === undefined
    ? undefined
    : { input: input ?? 0, output: output ?? 0 };
}

function count(text: string, pattern: RegExp): number | undefined {
  const match = pattern.exec(text);
  return match ? Number(match[1]) : undefined;
}
