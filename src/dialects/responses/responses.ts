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
};
