// Ends the process with one line where Node.js is too old for hekate. Whatever starts hekate loads this before anything
// else; it is written so that a Node of any age can read it. Its code, text and exit code are those of NODE_TOO_OLD.
'use strict';

var wanted = require('../package.json').engines.node.replace('>=', '');

function isOlder(version, than) {
  var left = version.replace('v', '').split('.');
  var right = than.split('.');
  for (var i = 0; i < right.length; i++) {
    if (Number(left[i]) !== Number(right[i])) return Number(left[i]) < Number(right[i]);
  }
  return false;
}

if (isOlder(process.version, wanted)) {
  console.error(
    'NODE_TOO_OLD: hekate needs Node.js ' +
      wanted +
      ' or newer, and this is ' +
      process.version +
      ' (' +
      process.execPath +
      '). Fix: install the current LTS release from https://nodejs.org or with a version manager (nvm install --lts), and run the command again with it',
  );
  process.exit(2);
}
