import type { Dialect } from '../dialect.ts';
import { eventReader, readAnswer } from './read-answer.ts';
import { readRequest } from './read-request.ts';
import { eventWriter, writeAnswer } from './write-answer.ts';
import { writeRequest } from './write-request.ts';

/** Anthropic's Messages. */
export const messages: Dialect = {
  readRequest,
  writeRequest,
  eventReader,
  readAnswer,
  eventWriter,
  writeAnswer,
};
