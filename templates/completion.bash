# Completes jairouter in bash. In ~/.bashrc:
#   source <(jairouter completion bash)
_jairouter() {
  local line=${COMP_LINE:0:COMP_POINT} cur=${COMP_WORDS[COMP_CWORD]}
  local -a words
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  # Bash takes words apart at colons, and they are part of models' names: what stands before the
  # last one must not be said again.
  local last=${words[${#words[@]} - 1]}
  [[ $cur == [:=] ]] && cur=''
  local said=$((${#last} - ${#cur}))
  local value description
  COMPREPLY=()
  while IFS=$'\t' read -r value description; do
    if [[ $value == :files ]]; then
      compopt -o filenames 2> /dev/null
      while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -f -- "$cur")
    elif [[ -n $value ]]; then
      COMPREPLY+=("${value:said}")
    fi
  done < <(jairouter __complete -- "${words[@]:1}" 2> /dev/null)
}
complete -F _jairouter jairouter
