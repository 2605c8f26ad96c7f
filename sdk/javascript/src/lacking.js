export const lacking = (what, why) => () => {
  throw new Error(`there is no ${what}: ${why}`);
};

// The host lends to calls.
let isCalled = false;

// At the head of each call.
export function begin() {
  isCalled = true;
}

export function lent(what, answer) {
  return (...given) => {
    if (!isCalled) lacking(`${what} while the extension is built`, 'each call would find the same; ask in a call')();
    return answer(...given);
  };
}
