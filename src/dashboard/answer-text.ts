/** What an answer says, taken out of its envelope, so that two of them can be compared. */
export interface AnswerText {
  /** The words of it; of vectors and pictures, how many there are. */
  readonly text: string;
  /** As the backend counted them. */
  readonly tokensIn: number | undefined;
  readonly tokensOut: number | undefined;
  /** Why it ended, in the backend's own word. */
  readonly finish: string | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

/** Reads JSON, server-sent events and lines of JSON; anything else is taken as it is. */
export function readAnswer(body: string, contentType: string): AnswerText {
  const pieces = /event-stream/.test(contentType)
    ? eventsOf(body)
    : /ndjson/.test(contentType)
      ? linesOf(body)
      : [parse(body)];
  const read = pieces.filter((piece) => piece !== undefined);
  if (read.length === 0)
    return { text: body, tokensIn: undefined, tokensOut: undefined, finish: undefined };
  let text = '';
  let tokensIn: number | undefined;
  let tokensOut: number | undefined;
  let finish: string | undefined;
  for (const piece of read) {
    text += wordsOf(piece);
    const usage = usageOf(piece);
    tokensIn = usage.in ?? tokensIn;
    tokensOut = usage.out ?? tokensOut;
    finish = finishOf(piece) ?? finish;
  }
  return { text, tokensIn, tokensOut, finish };
}

function eventsOf(body: string): (Fields | undefined)[] {
  return body
    .split(/\r?\n/)
    .filter((line) => line.startsWith('data:'))
    .map((line) => parse(line.slice('data:'.length)));
}

function linesOf(body: string): (Fields | undefined)[] {
  return body.split('\n').map(parse);
}

function parse(text: string): Fields | undefined {
  try {
    return record(JSON.parse(text));
  } catch {
    // Not JSON: `[DONE]`, plain text, or bytes.
    return undefined;
  }
}

function wordsOf(piece: Fields): string {
  const error = record(piece['error']);
  if (error) return `error: ${string(error['message'])}`;
  const delta = record(piece['delta']);
  return [
    ...list(piece['choices']).map(choiceWords),
    // Ollama's own.
    messageWords(record(piece['message'])),
    string(piece['response']),
    // Responses and Messages, streamed: the events with the whole text again are left out.
    piece['type'] === 'response.output_text.delta' ? string(piece['delta']) : '',
    delta ? string(delta['text']) + string(delta['partial_json']) : '',
    // The same, not streamed.
    ...list(piece['output']).map(messageWords),
    piece['choices'] === undefined && delta === undefined ? partsWords(piece['content']) : '',
    string(piece['text']),
    ...list(piece['results']).map(resultWords),
    dataWords(list(piece['data'])),
  ].join('');
}

function choiceWords(choice: Fields): string {
  return (
    string(choice['text']) +
    messageWords(record(choice['message'])) +
    messageWords(record(choice['delta']))
  );
}

function messageWords(message: Fields | undefined): string {
  if (!message) return '';
  const calls = list(message['tool_calls']).map((call) => {
    const target = record(call['function']) ?? {};
    const input = target['arguments'];
    const text = typeof input === 'string' ? input : JSON.stringify(input ?? '');
    return `${string(target['name'])}${text}`;
  });
  return [
    string(message['reasoning_content']) || string(message['reasoning']),
    partsWords(message['content']),
    string(message['arguments']),
    ...calls,
  ].join('');
}

function partsWords(content: unknown): string {
  if (typeof content === 'string') return content;
  return list(content)
    .map((part) => {
      if (part['type'] !== 'tool_use') return string(part['text']) + string(part['thinking']);
      return `${string(part['name'])}${JSON.stringify(part['input'])}`;
    })
    .join('');
}

function resultWords(result: Fields): string {
  const score = result['relevance_score'];
  return `${String(result['index'])}: ${typeof score === 'number' ? score.toFixed(4) : '?'}\n`;
}

/** Vectors and pictures can only be counted. */
function dataWords(data: readonly Fields[]): string {
  const [first] = data;
  if (!first) return '';
  const vector = first['embedding'];
  if (Array.isArray(vector)) return `${data.length} × ${vector.length} numbers`;
  if (typeof vector === 'string')
    return `${data.length} × ${Math.floor((vector.length * 3) / 16)} numbers in base64`;
  const picture = first['b64_json'];
  if (typeof picture === 'string')
    return `${data.length} × picture of ${picture.length} characters`;
  return data.map((one) => `${string(one['url'])}\n`).join('');
}

function usageOf(piece: Fields): { in: number | undefined; out: number | undefined } {
  const usage =
    record(piece['usage']) ??
    record(record(piece['response'])?.['usage']) ??
    record(record(piece['message'])?.['usage']) ??
    {};
  return {
    in: number(usage['prompt_tokens'] ?? usage['input_tokens'] ?? piece['prompt_eval_count']),
    out: number(usage['completion_tokens'] ?? usage['output_tokens'] ?? piece['eval_count']),
  };
}

function finishOf(piece: Fields): string | undefined {
  const reason =
    list(piece['choices'])[0]?.['finish_reason'] ??
    record(piece['delta'])?.['stop_reason'] ??
    piece['stop_reason'] ??
    piece['done_reason'];
  return typeof reason === 'string' ? reason : undefined;
}

function record(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : undefined;
}

function list(value: unknown): readonly Fields[] {
  if (!Array.isArray(value)) return [];
  return (value as readonly unknown[]).map(record).filter((one) => one !== undefined);
}

function string(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
