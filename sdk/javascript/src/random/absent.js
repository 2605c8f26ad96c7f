import { lacking } from '../lacking.js';
import { chance, place } from '../stand-ins.js';

place(
  chance(
    lacking(
      'chance in an extension that does not ask for it',
      'add [capabilities.random] to the manifest, or make names of the id of the subject or of the operation, which are unique',
    ),
  ),
);
