#pragma once

/// hltest: unit tests for code that runs on the bare CPU. This header is all that a test includes.

#include <hltest/guest/image.h>
#include <hltest/guest/memory_layout.h>
#include <hltest/machine/machine.h>
#include <hltest/machine/outcome.h>
#include <hltest/machine/report.h>
#include <hltest/machine/text_screen.h>
#include <hltest/testing/exceptions.h>
#include <hltest/testing/guest_test.h>
#include <hltest/testing/host_can.h>
#include <hltest/testing/matchers.h>
#include <hltest/testing/printers.h>
#include <hltest/testing/table_matchers.h>
#include <hltest/trace/replay.h>
