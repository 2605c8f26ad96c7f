// A counter: its action counts once more. What else it is, manifest.toml says.

import { Change, extension, log } from 'occi-extension';

const COUNT = 'com.example.{{name}}.count';

export default extension({
  kinds: {
    'http://example.com/occi/{{name}}#{{name}}': {
      act: {
        count(subject) {
          const count = subject.integer(COUNT) + 1;
          log.info(`counted to ${count}`);
          return new Change().set(COUNT, count);
        },
      },
    },
  },
});
