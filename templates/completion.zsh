#compdef jairouter
# Completes jairouter in zsh. In ~/.zshrc, after compinit:
#   source <(jairouter completion zsh)
_jairouter() {
  local value description
  local -a found
  while IFS=$'\t' read -r value description; do
    if [[ $value == :files ]]; then
      _files
    elif [[ -n $value ]]; then
      # A colon stands between a value and its description here.
      found+=("${value//:/\\:}${description:+:$description}")
    fi
  done < <(jairouter __complete -- "${(@)words[2,CURRENT]}" 2> /dev/null)
  (( ${#found} )) && _describe -t jairouter jairouter found
}
compdef _jairouter jairouter
