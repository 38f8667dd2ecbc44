#include "machine/cause.h"

#include "x86/causes/delivery.h"
#include "x86/causes/fault_cause.h"

namespace hltest::internal {
namespace {

auto walker(const GuestTables& tables) {
  return [&tables](Gva gva) { return tables.walk(gva); };
}
LinearReader reader(const GuestTables& tables) {
  return [&tables](Gva gva, std::size_t count) { return tables.read(gva, count); };
}

}  // namespace

std::string cause_of(Vector vector, std::optional<std::uint32_t> error_code, Gva address,
                     const GuestTables& tables) {
  return fault_cause(
      {.vector = vector,
       .error_code = error_code,
       .address = address,
       .registers = tables.registers(),
       .walk = walker(tables),
       .read = reader(tables),
       .read_physical = [&tables](Gpa gpa, std::size_t count) -> std::vector<std::uint8_t> {
         auto bytes = tables.read_physical(gpa, count);
         if (bytes.size() < count) bytes.clear();
         return bytes;
       }});
}

std::string obstacle_to(Vector vector, const GuestTables& tables) {
  return obstacle_to_delivery(vector, tables.registers(), walker(tables), reader(tables));
}

}  // namespace hltest::internal
