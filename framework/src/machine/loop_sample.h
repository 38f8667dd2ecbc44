#pragma once

#include "kvm/vcpu.h"
#include "machine/port_log.h"
#include "machine/stop_reason.h"
#include "machine/system_tables.h"

namespace hltest {

/// Watches a guest for some hundred instructions more, one by one. What it does meanwhile is not in
/// the logs: an IN reads what the port last gave, an OUT and MMIO go nowhere.
Loop watch_loop(kvm::Vcpu& vcpu, const SystemTables& tables, const PortLog& ports);

}  // namespace hltest
