#pragma once

#include <map>
#include <vector>

#include <hltest/service.h>

#include "vm/observer.h"

namespace hltest::internal {

/// The services of a machine, by vector.
class ServiceTable : public Observer {
 public:
  /// Puts a service before those that the vector has.
  void add(Vector vector, Service service) { services_[vector].push_back(std::move(service)); }

  /// Puts a service after those that the vector has.
  void add_last(Vector vector, Service service) {
    std::vector<Service>& services = services_[vector];
    services.insert(services.begin(), std::move(service));
  }

  [[nodiscard]] bool serves_handlers() const override { return !services_.empty(); }
  /// Asks the vector's services, the last that was added first.
  bool on_handler(ServiceCall& call, GuestView& guest) override;

 private:
  std::map<Vector, std::vector<Service>> services_;
};

}  // namespace hltest::internal
