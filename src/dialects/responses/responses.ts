import type { Dialect } from '../dialect.ts';
import { eventReader, readAnswer } from './read-answer.ts';
import { readRequest } from './read-request.ts';
import { writeAnswer } from './write-answer.ts';
import { eventWriter } from './write-events.ts';
import { writeRequest } from './write-request.ts';

/** OpenAI's Responses. */
export const responses: Dialect = {
  readRequest,
  writeRequest,
  eventReader,
  readAnswer,
  eventWriter,
  writeAnswer,
  names: {
    reasoning_effort: 'reasoning.effort',
    response_format: 'text.format',
    max_tokens: 'max_output_tokens',
    file: 'input_file',
    image: 'input_image',
    logprobs: 'top_logprobs',
    audio: 'input_audio',
  },
};
