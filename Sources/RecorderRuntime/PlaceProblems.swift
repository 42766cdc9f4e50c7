public import Configuration
import Core
import Indicators
import Power
import Radio
import Triggers

extension RecorderConfiguration {
  /// What is wrong with the names of devices, and what radio rules say, by their form alone, whether they are there or not.
  public var placeProblems: [ConfigurationProblem] {
    var problems: [ConfigurationProblem] = []
    for (key, place) in [("buttons.record", buttons.record), ("buttons.second", buttons.second)] where !place.isEmpty {
      do throws(TriggerError) { _ = try ButtonPlace(place) } catch {
        problems.append(ConfigurationProblem(keys: [key], text: "\(error)"))
      }
    }
    for output in SignOutput.allCases where !indicators[output].isEmpty {
      do throws(IndicatorError) { _ = try OutputPlace(indicators[output]) } catch {
        problems.append(ConfigurationProblem(keys: ["indicators.\(output.rawValue)"], text: "\(error)"))
      }
    }
    do throws(RadioRuleTextError) { _ = try RadioRule.list(radio.unauthenticated) } catch {
      problems.append(ConfigurationProblem(keys: ["radio.unauthenticated"], text: "\(error)"))
    }
    if !power.failLine.isEmpty {
      do throws(PowerError) { _ = try PowerFailPlace(power.failLine) } catch {
        problems.append(ConfigurationProblem(keys: ["power.fail_line"], text: "\(error)"))
      }
    }
    return problems
  }
}
