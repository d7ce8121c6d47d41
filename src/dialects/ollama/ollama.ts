import type { Dialect, ServedDialect } from '../dialect.ts';
import { OPTIONS } from './options.ts';
import { eventReader, readAnswer } from './read-answer.ts';
import { readGenerate, readRequest } from './read-request.ts';
import { chatWhole, chatWriter, generateWhole, generateWriter } from './write-answer.ts';
import { writeRequest } from './write-request.ts';

/** Its `options` are told with their place. */
const NAMES = {
  reasoning_effort: 'think',
  response_format: 'format',
  image: 'images',
  max_tokens: 'options.num_predict',
  repetition_penalty: 'options.repeat_penalty',
  ...Object.fromEntries(OPTIONS.map((name) => [name, `options.${name}`])),
};

/** Ollama's own chat. */
export const ollamaChat: Dialect = {
  readRequest,
  writeRequest,
  eventReader,
  readAnswer,
  eventWriter: chatWriter,
  writeAnswer: chatWhole,
  names: NAMES,
};

/** Ollama's own way to have one prompt answered, or a text filled in. */
export const ollamaGenerate: ServedDialect = {
  readRequest: readGenerate,
  eventWriter: generateWriter,
  writeAnswer: generateWhole,
  names: NAMES,
};
