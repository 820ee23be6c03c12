#!/usr/bin/env node
// The command `hekate`. In two files: an old Node cannot even read the second one.
'use strict';

require('./node-version.cjs');
require('./load.cjs');
