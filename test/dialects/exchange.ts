import type Anthropic from '@anthropic-ai/sdk';
import type { ChatResponse } from 'ollama';
import type OpenAI from 'openai';
import type {
  ResponseFunctionToolCallItem,
  ResponseOutputMessage,
} from 'openai/resources/responses/responses';

/** What is told is told as the SDK has it; not all that an SDK has is told by every server. */
type Told<T> = T extends readonly (infer Item)[]
  ? readonly Told<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]?: Told<T[Key]> | null }
    : T;

/*
 * One answer as each API streams it, in the types of its own SDK: a word, then a call of a tool. Ids
 * are those that `context()` mints.
 */

const CHUNK = { id: 'chatcmpl-1', created: 1_700_000_000, model: 'm', usage: null } as const;

function chunk(
  delta: OpenAI.ChatCompletionChunk.Choice.Delta,
  reason: OpenAI.ChatCompletionChunk.Choice['finish_reason'] = null,
): OpenAI.ChatCompletionChunk {
  const choice = { index: 0, delta, logprobs: null, finish_reason: reason };
  return { ...CHUNK, object: 'chat.completion.chunk', choices: [choice] };
}

export const CHAT: readonly OpenAI.ChatCompletionChunk[] = [
  chunk({ role: 'assistant', content: '', refusal: null }),
  chunk({ content: 'So:' }),
  chunk({
    tool_calls: [
      { index: 0, id: 'call_a', type: 'function', function: { name: 'look', arguments: '' } },
    ],
  }),
  chunk({ tool_calls: [{ index: 0, function: { arguments: '{"at":"x"}' } }] }),
  chunk({}, 'tool_calls'),
  {
    ...CHUNK,
    object: 'chat.completion.chunk',
    choices: [],
    usage: {
      prompt_tokens: 9,
      completion_tokens: 4,
      total_tokens: 13,
      prompt_tokens_details: { cached_tokens: 2 },
      completion_tokens_details: { reasoning_tokens: 0 },
    },
  },
];

export const MESSAGES: readonly Told<Anthropic.RawMessageStreamEvent>[] = [
  {
    type: 'message_start',
    message: {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'm',
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: {
        input_tokens: 0,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 0,
        output_tokens: 0,
      },
    },
  },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'So:' } },
  { type: 'content_block_stop', index: 0 },
  {
    type: 'content_block_start',
    index: 1,
    content_block: { type: 'tool_use', id: 'call_a', name: 'look', input: {} },
  },
  {
    type: 'content_block_delta',
    index: 1,
    delta: { type: 'input_json_delta', partial_json: '{"at":"x"}' },
  },
  { type: 'content_block_stop', index: 1 },
  {
    type: 'message_delta',
    delta: { stop_reason: 'tool_use', stop_sequence: null },
    usage: {
      input_tokens: 7,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 2,
      output_tokens: 4,
      output_tokens_details: { thinking_tokens: 0 },
    },
  },
  { type: 'message_stop' },
];

/** What OpenAI tells beside what its SDK knows. */
type Unknown = { readonly max_tool_calls: null; readonly store: boolean };

const RESPONSE: Told<OpenAI.Responses.Response> & Unknown = {
  id: 'resp_1',
  object: 'response',
  created_at: 1_700_000_000,
  status: 'in_progress',
  background: false,
  error: null,
  incomplete_details: null,
  instructions: null,
  max_output_tokens: null,
  max_tool_calls: null,
  model: 'm',
  output: [],
  parallel_tool_calls: true,
  previous_response_id: null,
  prompt_cache_key: null,
  reasoning: { effort: null, summary: null },
  safety_identifier: null,
  service_tier: 'default',
  store: true,
  temperature: 1,
  text: { format: { type: 'text' } },
  tool_choice: 'auto',
  tools: [],
  top_logprobs: 0,
  top_p: 1,
  truncation: 'disabled',
  usage: null,
  user: null,
  metadata: {},
};

const SAID: Told<ResponseOutputMessage> = {
  id: 'msg_2',
  type: 'message',
  status: 'completed',
  role: 'assistant',
  content: [{ type: 'output_text', text: 'So:', annotations: [], logprobs: [] }],
};
const CALLED: Told<ResponseFunctionToolCallItem> = {
  id: 'fc_3',
  status: 'completed',
  type: 'function_call',
  call_id: 'call_a',
  name: 'look',
  arguments: '{"at":"x"}',
};

const RESPONSE_EVENTS: readonly Told<OpenAI.Responses.ResponseStreamEvent>[] = [
  { type: 'response.created', response: RESPONSE },
  { type: 'response.in_progress', response: RESPONSE },
  {
    type: 'response.output_item.added',
    output_index: 0,
    item: { ...SAID, status: 'in_progress', content: [] },
  },
  {
    type: 'response.content_part.added',
    item_id: 'msg_2',
    output_index: 0,
    content_index: 0,
    part: { type: 'output_text', text: '', annotations: [], logprobs: [] },
  },
  {
    type: 'response.output_text.delta',
    item_id: 'msg_2',
    output_index: 0,
    content_index: 0,
    delta: 'So:',
    logprobs: [],
  },
  {
    type: 'response.output_text.done',
    item_id: 'msg_2',
    output_index: 0,
    content_index: 0,
    text: 'So:',
    logprobs: [],
  },
  {
    type: 'response.content_part.done',
    item_id: 'msg_2',
    output_index: 0,
    content_index: 0,
    part: { type: 'output_text', text: 'So:', annotations: [], logprobs: [] },
  },
  { type: 'response.output_item.done', output_index: 0, item: SAID },
  {
    type: 'response.output_item.added',
    output_index: 1,
    item: { ...CALLED, status: 'in_progress', arguments: '' },
  },
  {
    type: 'response.function_call_arguments.delta',
    item_id: 'fc_3',
    output_index: 1,
    delta: '{"at":"x"}',
  },
  {
    type: 'response.function_call_arguments.done',
    item_id: 'fc_3',
    output_index: 1,
    name: 'look',
    arguments: '{"at":"x"}',
  },
  { type: 'response.output_item.done', output_index: 1, item: CALLED },
  {
    type: 'response.completed',
    response: {
      ...RESPONSE,
      status: 'completed',
      output: [SAID, CALLED],
      usage: {
        input_tokens: 9,
        input_tokens_details: { cached_tokens: 2 },
        output_tokens: 4,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 13,
      },
    },
  },
];
export const RESPONSES = RESPONSE_EVENTS.map((event, number) => ({
  ...event,
  sequence_number: number,
}));

/** Ollama's types have dates where its lines have text. */
type Line = Omit<Told<ChatResponse>, 'created_at'> & { readonly created_at: string };

/** The SDK does not know of ids and places yet. */
const TOLD = { id: 'call_a', function: { index: 0, name: 'look', arguments: { at: 'x' } } };
const LINE = { model: 'm', created_at: '2023-11-14T22:13:22.000Z' };

export const OLLAMA: readonly Line[] = [
  { ...LINE, message: { role: 'assistant', content: 'So:' }, done: false },
  {
    ...LINE,
    message: { role: 'assistant', content: '', tool_calls: [TOLD] },
    done: false,
  },
  {
    ...LINE,
    message: { role: 'assistant', content: '' },
    done: true,
    done_reason: 'stop',
    total_duration: 2_000_000_000,
    load_duration: 0,
    prompt_eval_count: 9,
    prompt_eval_duration: 2_000_000_000,
    eval_count: 4,
    eval_duration: 0,
  },
];
