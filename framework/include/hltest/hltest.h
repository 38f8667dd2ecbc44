#pragma once

/// hltest: unit tests for code that runs on the bare CPU. This header is all that a test includes.

#include <hltest/image.h>
#include <hltest/memory_layout.h>
#include <hltest/version.h>
#include "machine/machine.h"
#include "machine/outcome.h"
#include "machine/report.h"
#include "machine/text_screen.h"
#include "testing/exceptions.h"
#include "testing/guest_test.h"
#include "testing/host_can.h"
#include "testing/matchers.h"
#include "testing/printers.h"
#include "testing/table_matchers.h"
#include "trace/replay.h"
