#pragma once

/// hltest: unit tests for code that runs on the bare CPU. This header is all that a test includes.

#include <hltest/access.h>
#include <hltest/bios.h>
#include <hltest/boot_matchers.h>
#include <hltest/device.h>
#include <hltest/diagnosis.h>
#include <hltest/disk.h>
#include <hltest/disk_layout.h>
#include <hltest/error.h>
#include <hltest/exceptions.h>
#include <hltest/fixtures.h>
#include <hltest/host_can.h>
#include <hltest/hostile_bios.h>
#include <hltest/image.h>
#include <hltest/machine.h>
#include <hltest/matchers.h>
#include <hltest/memory.h>
#include <hltest/memory_layout.h>
#include <hltest/outcome.h>
#include <hltest/printers.h>
#include <hltest/start_state.h>
#include <hltest/stop_reason.h>
#include <hltest/table_matchers.h>
#include <hltest/tables.h>
#include <hltest/text_screen.h>
#include <hltest/version.h>
#include <hltest/x86/descriptor_table.h>
