#include "vm/service_table.h"

#include <algorithm>
#include <ranges>

namespace hltest::internal {

bool ServiceTable::on_handler(ServiceCall& call, GuestView& guest) {
  const auto found = services_.find(call.vector);
  if (found == services_.end()) return false;
  // A service may add another meanwhile.
  std::vector<Service> services = found->second;
  std::ranges::reverse(services);
  return std::ranges::any_of(services,
                             [&](const Service& service) { return service(call, guest); });
}

}  // namespace hltest::internal
