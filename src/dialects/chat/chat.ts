import type { Dialect } from '../dialect.ts';
import { eventReader, readAnswer } from './read-answer.ts';
import { readRequest } from './read-request.ts';
import { eventWriter, writeAnswer } from './write-answer.ts';
import { writeRequest } from './write-request.ts';

/** OpenAI's chat completions. */
export const chat: Dialect = {
  readRequest,
  writeRequest,
  eventReader,
  readAnswer,
  eventWriter,
  writeAnswer,
  names: {
    image: 'image_url',
    audio: 'input_audio',
  },
};
